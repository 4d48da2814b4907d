"""Lesson plans: steps with minutes, a view for each, and words in the reader's language.

What a step opens stands once, in `assets/plans/<page>.toml`; its words stand in
`assets/plans/<language>/<page>.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playground.core.classroom.polls import Kind
from playground.core.classroom.views import View

LENGTHS: Final = (5, 45, 90)  # minutes


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the class.

    Attributes:
        text: The question.
        options: Answers to choose from; () where it is only talked about.
        right: Place of the right one; None where there is none.
    """

    text: str
    options: tuple[str, ...] = ()
    right: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a step, in one language.

    Attributes:
        do: Directions for the teacher.
        question: Question to the class; its text is "" where there is none.
        expect: Observation to expect with the model that the playground starts with; "" where it is open.
    """

    do: str
    question: Question
    expect: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan.

    Attributes:
        id: Name of its words.
        minutes: Minutes in the plan of each of `LENGTHS`; 0 where the plan leaves it out.
        view: The page that it opens, with its settings.
        poll: Kind of the poll that the model gives the options for; None without one.
    """

    id: str
    minutes: tuple[int, ...]
    view: View
    poll: Kind | None


def steps_of(page: str, toml: str) -> tuple[Step, ...]:
    """The steps of all plans of a page.

    Args:
        page: Name of the page, which a step opens unless it names another one.
        toml: The text of its file.

    Example:
        >>> toml = '[[step]]\\nid = "a"\\nminutes = [1, 2, 3]\\nsettings = { text = "Hi" }'
        >>> (step,) = steps_of("home", toml)
        >>> step.id, step.minutes, step.view.link
        ('a', (1, 2, 3), '/?text=Hi')
    """
    return tuple(
        Step(
            one["id"],
            tuple(one["minutes"]),
            View(one.get("page", page), tuple(one.get("settings", {}).items())),
            one.get("poll"),
        )
        for one in tomllib.loads(toml)["step"]
    )


def plan(steps: Sequence[Step], length: int) -> list[tuple[Step, int]]:
    """The steps of the plan of one length, each with its minutes.

    Args:
        steps: The steps of all plans of a page.
        length: One of `LENGTHS`.
    """
    place = LENGTHS.index(length)
    return [(step, step.minutes[place]) for step in steps if step.minutes[place]]


def words_of(markdown: str) -> dict[str, Words]:
    r"""The words of each step: `## <id>`, then lines.

    `? ` is the question, `- ` one of its options, `+ ` the right one, `> ` what to expect; all other lines
    say what to do.

    Example:
        >>> words_of("## a\nDo it.\n? Which?\n- x\n+ y\n> So.\n")["a"]
        Words(do='Do it.', question=Question(text='Which?', options=('x', 'y'), right=1), expect='So.')
    """
    _head, *parts = re.split(r"^## ", markdown, flags=re.MULTILINE)
    return {name.strip(): _words(lines) for name, *lines in (part.splitlines() for part in parts)}


def _words(lines: Sequence[str]) -> Words:
    marked: dict[str, list[str]] = {"?": [], ">": [], "do": []}
    options: list[str] = []
    right = None
    for line in filter(None, map(str.strip, lines)):
        mark, text = (line[0], line[1:].strip()) if line[:2] in ("? ", "> ", "- ", "+ ") else ("do", line)
        if mark in "-+":
            right = len(options) if mark == "+" else right
            options.append(text)
        else:
            marked[mark].append(text)
    question = Question(" ".join(marked["?"]), tuple(options), right)
    return Words(" ".join(marked["do"]), question, " ".join(marked[">"]))
