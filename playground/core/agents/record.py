"""The record of a run: its turns, what each cost, and how the run ended. All that a strategy knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from playground.core.agents.actions import Form
from playground.core.agents.tools import TOOLS, Action

Strategy = Literal["reasoning", "act", "react", "plan", "reflexion"]
Part = Literal["reason", "act", "react", "plan", "step", "answer", "reflection"]
Ending = Literal["finished", "no_answer", "turns", "tokens", "time", "window"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
ENDINGS: tuple[Ending, ...] = get_args(Ending)


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard ends of a run: whatever the model writes, it is over at the first of them.

    Attributes:
        turns: Times that the model is asked.
        tokens: Tokens read and written in all of them.
        seconds: Time of the model for all of them.
    """

    turns: int = 6
    tokens: int = 4_000
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Setup:
    """A question, and how the model is put into a loop for it.

    Attributes:
        question: The question.
        strategy: Who decides what happens next, and when.
        form: Form of an action.
        allowed: Tools that may be used; `finish` always is.
        constrained: True lets only tokens through that keep the form.
        stops: True ends the model's turn where it begins to write an observation itself.
        language: Code of the language of the examples in the prompt.
        limits: Hard ends.
    """

    question: str
    strategy: Strategy = "react"
    form: Form = "text"
    allowed: tuple[str, ...] = TOOLS
    constrained: bool = False
    stops: bool = True
    language: str = "en"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens and time of a turn.

    Attributes:
        n_prompt: Tokens of the prompt.
        n_again: Those at its beginning that the model had read or written in an earlier turn.
        n_written: Tokens that the model wrote.
        seconds: Time it took.
    """

    n_prompt: int = 0
    n_again: int = 0
    n_written: int = 0
    seconds: float = 0.0

    @property
    def n_new(self) -> int:
        """Tokens of the prompt that were read for the first time."""
        return self.n_prompt - self.n_again


@dataclass(frozen=True, slots=True)
class Turn:
    """One time that the model was asked, and what came of it.

    Attributes:
        part: Purpose of the turn.
        lead: Last word of the prompt, which the model's text goes on from.
        written: The model's text, word for word.
        thought, action: Read out of it.
        observation: Answer of the tool, or the sentence about what went wrong.
        trouble: Name of what went wrong, a key of `trouble.SENTENCES`, "" for nothing.
        invented: An observation that the model wrote itself, "" for none.
        cost: Tokens and time.
    """

    part: Part
    lead: str
    written: str
    thought: str = ""
    action: Action | None = None
    observation: str = ""
    trouble: str = ""
    invented: str = ""
    cost: Cost = field(default_factory=Cost)


Record = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run.

    Attributes:
        setup: What was asked, and how.
        turns: Its turns.
        ending: Why it is over.
        answer: Its answer, "" for none.
    """

    setup: Setup
    turns: Record
    ending: Ending
    answer: str = ""


def n_again(prompt: Sequence[int], earlier: Sequence[Sequence[int]]) -> int:
    """Tokens at the beginning of a prompt that an earlier turn had in the same places.

    They are what a cache of keys and values could keep; what comes after the first other token never is.

    Args:
        prompt: Token ids.
        earlier: Token ids of each earlier turn: its prompt, then what was written.

    Example:
        >>> n_again([1, 2, 3, 9, 4], [[1, 2, 3], [1, 2, 3, 9, 5]]), n_again([1], [])
        (4, 0)
    """
    longest = 0
    for ids in earlier:
        n = 0
        for one, other in zip(prompt, ids, strict=False):
            if one != other:
                break
            n += 1
        longest = max(longest, n)
    return longest


def total(turns: Record) -> Cost:
    """The bill of all turns together."""
    costs = [turn.cost for turn in turns]
    return Cost(
        sum(one.n_prompt for one in costs), sum(one.n_again for one in costs),
        sum(one.n_written for one in costs), sum(one.seconds for one in costs),
    )  # fmt: skip


def repeats(turns: Record) -> int:
    """Turns that repeat an action that was taken before: more than none is a loop.

    Example:
        >>> again = Turn("react", "Thought:", "", action=Action("search", "a cat"))
        >>> repeats((again, again, again))
        2
    """
    actions = [turn.action for turn in turns if turn.action is not None]
    return len(actions) - len(set(actions))
