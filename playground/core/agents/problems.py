"""Twelve problems with checked answers, in each language: for one tool, for two together, for none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal, get_args

from playground.core.agents.documents import of_language
from playground.core.agents.tools import World
from playground.core.answering import says
from playground.paths import site_root

Kind = Literal["calculator", "search", "calendar", "two", "known"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TODAY = date(2026, 3, 2)  # of the problems: their answers are of this day


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its answer.

    Attributes:
        problem_id: Its name, the same in every language.
        kind: The tool that answers it; "two" for search and calculator, "known" for none.
        question: The question.
        answers: Strings that are a right answer.
        solution: Calls that solve it, as (tool, input): a test carries them out.
    """

    problem_id: str
    kind: Kind
    question: str
    answers: tuple[str, ...]
    solution: tuple[tuple[str, str], ...]

    def is_right(self, answer: str) -> bool:
        """True if an answer holds a right one."""
        return says(answer, self.answers)


@cache
def problems(language: str) -> tuple[Problem, ...]:
    """The problems in a language, in English where there are none in it."""
    text = (site_root() / "assets" / "samples" / "agents.json").read_text("utf-8")
    raw: Mapping[str, list[dict[str, object]]] = json.loads(text)
    return tuple(map(_problem, raw.get(language, raw["en"])))


def _problem(raw: Mapping[str, object]) -> Problem:
    kind = next(one for one in KINDS if one == raw["kind"])
    answers, solution = raw["answers"], raw["solution"]
    assert isinstance(answers, list)
    assert isinstance(solution, list)
    return Problem(
        str(raw["id"]), kind, str(raw["question"]), tuple(answers),
        tuple((str(tool), str(words)) for tool, words in solution),
    )  # fmt: skip


def world_of(language: str) -> World:
    """The world in which the problems are solved: the shipped documents in a language, and a fixed day."""
    return World(TODAY, of_language(language).find)
