"""The tools of an agent: pure functions of a text, and the one door through which an action reaches them.

calculator   arithmetic        search   sentences of documents that were given
calendar     dates             finish   ends the loop with an answer

No tool opens a file or a connection, runs code, or knows a session: each sees its input and `World` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from playground.core.agents.calculator import calculate
from playground.core.agents.dates import look_up
from playground.core.agents.trouble import ToolTrouble

Tool = Literal["calculator", "search", "calendar", "finish"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
MAX_INPUT_CHARS = 80
MAX_OBSERVATION_CHARS = 140


@dataclass(frozen=True, slots=True)
class Action:
    """A call of a tool as the model wrote it; `tool` need not be one that exists."""

    tool: str
    input: str


@dataclass(frozen=True, slots=True)
class World:
    """All that the tools can see.

    Attributes:
        today: The day that "today" stands for.
        find: Words -> passages that fit them, the best first.
        allowed: Tools that may be used; `finish` is always allowed.
    """

    today: date
    find: Callable[[str], Sequence[str]]
    allowed: frozenset[str] = frozenset(TOOLS)


@dataclass(frozen=True, slots=True)
class Observation:
    """The answer of a tool as the model reads it; `trouble` names what went wrong, "" for nothing."""

    text: str
    trouble: str = ""


def use(action: Action, world: World) -> Observation:
    """Carry out an action, if it names a tool that is allowed; never raises.

    Args:
        action: Anything a model may write.
        world: All that the tools can see.

    Example:
        >>> world = World(date(2026, 3, 1), lambda words: ())
        >>> use(Action("calculator", "6 * 7"), world).text
        '42'
        >>> use(Action("delete", "all notes"), world).trouble
        'unknown_tool'
    """
    try:
        return Observation(_used(action, world))
    except ToolTrouble as trouble:
        return Observation(str(trouble), trouble.name)


def _used(action: Action, world: World) -> str:
    if action.tool not in TOOLS:
        raise ToolTrouble("unknown_tool", action.tool)
    if action.tool != "finish" and action.tool not in world.allowed:
        raise ToolTrouble("not_allowed", action.tool)
    if not action.input.strip():
        raise ToolTrouble("empty_input")
    if len(action.input) > MAX_INPUT_CHARS:
        raise ToolTrouble("too_long")
    if action.tool == "finish":
        return action.input.strip()
    if action.tool == "calculator":
        return calculate(action.input)
    if action.tool == "calendar":
        return look_up(action.input, world.today)
    for passage in world.find(action.input):
        if text := " ".join(passage.split()):
            return shortened(text)
    raise ToolTrouble("nothing_found")


def shortened(text: str) -> str:
    """A passage, cut at a word where it is longer than an observation may be.

    Example:
        >>> shortened("word " * 100)[-11:], shortened("short")
        ('word word …', 'short')
    """
    if len(text) <= MAX_OBSERVATION_CHARS:
        return text
    kept = text[: MAX_OBSERVATION_CHARS - 1]
    return f"{kept.rpartition(' ')[0] or kept} …"[:MAX_OBSERVATION_CHARS]
