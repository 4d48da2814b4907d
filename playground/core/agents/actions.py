r"""The form of an action: how a model is to write it, read back, and as a grammar for constrained decoding.

text    Thought: This is arithmetic. I use the calculator.
        Action: calculator[48 * 6]
json    {"thought": "This is arithmetic. I use the calculator.", "tool": "calculator", "input": "48 * 6"}

The text form is that of ReAct (Yao et al. 2023); the other one is what interfaces with tools ask for today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from playground.core.agents.tools import TOOLS, Action
from playground.core.agents.trouble import ToolTrouble

Form = Literal["text", "json"]
FORMS: tuple[Form, ...] = get_args(Form)
MAX_THOUGHT = 160  # characters that a grammar lets a thought have
MAX_INPUT = 60
THOUGHT, ACTION, OBSERVATION, ANSWER = "Thought:", "Action:", "Observation:", "Answer:"
_ACTION = re.compile(r"^[ \t]*Action:[ \t]*(.*)$", re.MULTILINE)
_CALL = re.compile(r"\s*([^\[\]\n]{1,40}?)\s*\[(.*)\]\s*")
_PLAIN = r"""[^"\\\n\[\]]"""  # characters of an input: what ends it in either form is left out


@dataclass(frozen=True, slots=True)
class Grammar:
    """The form that a text must have: "regex" or "json_schema", and its source."""

    kind: Literal["regex", "json_schema"]
    source: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A turn of the model, read.

    Attributes:
        thought: Words before the action, "" for none.
        action: The action; None where there is none.
        trouble: The name of what is wrong, a key of `trouble.SENTENCES`, "" for nothing.
        error: The sentence that says so to the model.
        invented: An observation that the model wrote itself, "" for none.
    """

    thought: str = ""
    action: Action | None = None
    trouble: str = ""
    error: str = ""
    invented: str = ""


def parse(written: str, form: Form, *, trusting: bool = False) -> Parsed:
    r"""Read what a model has written in a turn; every failure has a name.

    Args:
        written: The turn from its first word, `Thought:` or `{`.
        form: The form that it is to have.
        trusting: True takes the last action of a text in the text form, as a loop does that lets the model
            write on: then what it did upon an observation of its own making counts.

    Example:
        >>> parse("Thought: arithmetic.\nAction: calculator[6 * 7]", "text").action
        Action(tool='calculator', input='6 * 7')
        >>> parse("Thought: hm.", "text").trouble, parse('{"tool": "search"', "json").trouble
        ('no_action', 'not_json')
        >>> parse("Action: search[a]\nObservation: I made this up.", "text").invented
        'I made this up.'
    """
    said, _sign, after = written.partition(f"\n{OBSERVATION}")
    invented = after.strip().split("\n")[0]
    if trusting and form == "text" and ACTION in after:
        said = f"{said.partition(chr(10))[0]}\n{ACTION}{after.rpartition(ACTION)[2].splitlines()[0]}"
    try:
        thought, action = _text(said) if form == "text" else _json(said)
    except ToolTrouble as trouble:
        thought = said.partition(f"\n{ACTION}")[0].removeprefix(THOUGHT).strip() if form == "text" else ""
        return Parsed(thought, None, trouble.name, str(trouble), invented)
    return Parsed(thought, action, invented=invented)


def _text(said: str) -> tuple[str, Action]:
    found = _ACTION.search(said)
    if found is None:
        raise ToolTrouble("no_action")
    thought = said[: found.start()].strip().removeprefix(THOUGHT).strip()
    call = _CALL.fullmatch(found[1])
    if call is None:
        raise ToolTrouble("unclosed" if "[" in found[1] else "no_action")
    return thought, Action(call[1], call[2].strip())


def _json(said: str) -> tuple[str, Action]:
    try:
        value, _end = json.JSONDecoder().raw_decode(said.strip())
    except (ValueError, RecursionError) as error:
        raise ToolTrouble("not_json") from error
    if not isinstance(value, dict):
        raise ToolTrouble("not_json")
    for field in ("tool", "input"):
        if not isinstance(value.get(field), str):
            raise ToolTrouble("missing_field", field)
    thought = value.get("thought", "")
    return thought if isinstance(thought, str) else "", Action(value["tool"], value["input"].strip())


def spelled(action: Action, form: Form, thought: str = "") -> str:
    """An action as the model is to write it, with a thought where there is one.

    Example:
        >>> spelled(Action("search", "a cat"), "text"), spelled(Action("search", "a cat"), "json")
        ('Action: search[a cat]', '{"tool": "search", "input": "a cat"}')
    """
    if form == "json":
        fields = {"thought": thought} if thought else {}
        return json.dumps({**fields, "tool": action.tool, "input": action.input}, ensure_ascii=False)
    return f"{f'{THOUGHT} {thought}' + chr(10) if thought else ''}{ACTION} {action.tool}[{action.input}]"


def ordered(allowed: Iterable[str]) -> tuple[str, ...]:
    """The allowed tools in the order of `TOOLS`; `finish` is always one."""
    names = {*allowed, "finish"}
    return tuple(tool for tool in TOOLS if tool in names)


def schema(allowed: Iterable[str], *, with_thought: bool) -> Mapping[str, Any]:
    """JSON schema of an action.

    Args:
        allowed: Tools that may be called.
        with_thought: True asks for a thought first.
    """
    fields: dict[str, Any] = {
        "tool": {"type": "string", "enum": list(ordered(allowed))},
        "input": {"type": "string", "minLength": 1, "maxLength": MAX_INPUT},
    }
    if with_thought:
        fields = {"thought": {"type": "string", "minLength": 1, "maxLength": MAX_THOUGHT}, **fields}
    return {
        "type": "object", "properties": fields, "required": list(fields), "additionalProperties": False,
    }  # fmt: skip


def grammar(allowed: Iterable[str], form: Form, *, with_thought: bool) -> Grammar:
    """The grammar of a turn: what follows `Thought:` or `Action:` in the text form, the whole object in JSON.

    Example:
        >>> found = grammar(("calculator",), "text", with_thought=False)
        >>> [bool(re.fullmatch(found.source, one)) for one in (" calculator[6 * 7]", " cat[6]")]
        [True, False]
    """
    if form == "json":
        return Grammar("json_schema", json.dumps(schema(allowed, with_thought=with_thought)))
    call = rf" ({'|'.join(ordered(allowed))})\[{_PLAIN}{{1,{MAX_INPUT}}}\]"
    before = rf" [^\n]{{1,{MAX_THOUGHT}}}\n{ACTION}" if with_thought else ""
    return Grammar("regex", before + call)


def answer_grammar() -> Grammar:
    """The grammar of reasoning without tools, after `Thought:`."""
    return Grammar("regex", rf" [^\n]{{1,{MAX_THOUGHT}}}\n{ANSWER} [^\n]{{1,{MAX_INPUT}}}")
