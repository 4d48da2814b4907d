"""The prompts of a loop: the tools, a few examples, the question, all that happened so far, the next word.

The words of the form are English in every language; questions and findings are the reader's. Of some dozen
wordings tried with SmolLM2-135M-Instruct on the first turn of our English problems, this one called the
right tool most often (10 of 12; a head that explains each tool 9, thoughts that only name the tool 7). So
the figures of this model are those of a prompt that was chosen on the same problems. It fills 355 of the 512
tokens that a model reads here at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from playground.core.agents.actions import ANSWER, OBSERVATION, THOUGHT, Form, ordered, spelled
from playground.core.agents.record import Record, Setup, Turn
from playground.core.agents.tools import Action

QUESTION, PLAN, STEP, KNOWN, REFLECTION = "Question:", "Plan:", "Step:", "Known:", "Reflection:"


@dataclass(frozen=True, slots=True)
class Worked:
    """A question that a prompt shows solved.

    Attributes:
        question, tool, input, observation, answer: What is asked, done, seen and said.
        thought: Words before the action.
    """

    question: str
    thought: str
    tool: str
    input: str
    observation: str
    answer: str


_SUM = "This is arithmetic. I use the calculator."
_LOOK = "This is in the documents. I use search."
_DAY = "This is about a date. I use the calendar."
WORKED: Mapping[str, tuple[Worked, ...]] = MappingProxyType(
    {
        "en": (
            Worked("What is 48 times 6?", _SUM, "calculator", "48 * 6", "288", "288"),
            Worked(
                "How long is the Wren?", _LOOK, "search", "How long is the Wren?",
                "She is eleven metres long, painted dark green.", "eleven metres",
            ),
            Worked(
                "Which date is 10 days after 2026-03-01?", _DAY, "calendar", "2026-03-01 + 10 days",
                "2026-03-11, Wednesday", "2026-03-11",
            ),
            Worked(
                "Who is the engineer of the bridge?", _LOOK, "search", "Who is the engineer of the bridge?",
                "The engineer, Miss Harriet Dunmore, came on board.", "Harriet Dunmore",
            ),
        ),
        "ko": (
            Worked("48 곱하기 6은?", _SUM, "calculator", "48 * 6", "288", "288"),
            Worked(
                "2026-03-01에서 10일 뒤는?", _DAY, "calendar", "2026-03-01 + 10일", "2026-03-11, Wednesday",
                "2026-03-11",
            ),
            Worked(
                "다리 기술자는?", _LOOK, "search", "다리 기술자", "기술자는 해리엇 던모어다.", "해리엇 던모어"
            ),
        ),
    }
)  # fmt: skip
_REASONED = (
    ("What is 48 times 6?", "40 times 6 is 240, 8 times 6 is 48, and 240 plus 48 is 288.", "288"),
    ("Who wrote Hamlet?", "Hamlet is a play by Shakespeare.", "Shakespeare"),
    ("Which date is 10 days after 2026-03-01?", "1 plus 10 is 11, and it stays March.", "2026-03-11"),
)
_PLANNED = (
    ("How much do 5 pumps cost?", "1. Search the price of a pump. 2. Multiply 5 by the price."),
    ("Who is the engineer of the bridge?", "1. Search the engineer of the bridge."),
    ("What is 48 times 6?", "1. Multiply 48 by 6."),
    ("Which date is 10 days after 2026-03-01?", "1. Find the date 10 days after 2026-03-01."),
)
_STEPS = (
    ("", "Multiply 48 by 6.", Action("calculator", "48 * 6")),
    ("", "Search the price of a pump.", Action("search", "How much does a pump cost?")),
    ("A pump costs nineteen pounds.", "Multiply 5 by the price.", Action("calculator", "5 * 19")),
    ("", "Find the date 10 days after 2026-03-01.", Action("calendar", "2026-03-01 + 10 days")),
)
_ANSWERED = (
    ("A pump costs nineteen pounds. 95", "How much do 5 pumps cost?", "95"),
    ("The engineer, Miss Harriet Dunmore, came on board.", "Who is the engineer of the bridge?",
     "Harriet Dunmore"),
    ("2026-03-11, Wednesday", "Which date is 10 days after 2026-03-01?", "2026-03-11"),
)  # fmt: skip
_REFLECTED = (
    ("How long is the Wren?", Action("calculator", "Wren"), "Error: this is not arithmetic.",
     "The calculator was wrong. I use search next time."),
    ("What is 48 times 6?", Action("search", "48 times 6"), "Nothing found.",
     "There was nothing to search. I use the calculator next time."),
)  # fmt: skip


def head(allowed: Sequence[str]) -> str:
    """The line that names the tools.

    Example:
        >>> head(("calculator",)).strip()
        'Answer the question with a tool: calculator or finish.'
    """
    *first, last = ordered(allowed)
    return f"Answer the question with a tool: {', '.join(first)}{' or ' if first else ''}{last}.\n\n"


def worked(setup: Setup, *, with_thought: bool) -> str:
    """The solved examples of the tools that are allowed, in the form that is asked for."""
    known = WORKED.get(setup.language, WORKED["en"])
    return "".join(
        f"{QUESTION} {one.question}\n{_solved(one, setup.form, with_thought)}\n\n"
        for one in known
        if one.tool in setup.allowed
    )


def _solved(one: Worked, form: Form, with_thought: bool) -> str:
    first = spelled(Action(one.tool, one.input), form, one.thought if with_thought else "")
    last = f"The answer is {one.answer}." if with_thought else ""
    return f"{first}\n{OBSERVATION} {one.observation}\n{spelled(Action('finish', one.answer), form, last)}"


def so_far(turns: Record) -> str:
    """The turns as the model reads them again: its own words, then the observation."""
    return "".join(f"{turn.lead}{_own_words(turn)}\n{OBSERVATION} {turn.observation}\n" for turn in turns)


def _own_words(turn: Turn) -> str:
    return turn.written.rstrip()


def looped(setup: Setup, turns: Record, lead: str, reflection: str = "") -> str:
    """The prompt of ReAct and of acting only, up to the next word."""
    with_thought = lead != "Action:" and setup.strategy != "act"
    again = f"{REFLECTION} {reflection}\n" if reflection else ""
    before = head(setup.allowed) + worked(setup, with_thought=with_thought)
    return f"{before}{QUESTION} {setup.question}\n{again}{so_far(turns)}{lead}"


def reasoned(setup: Setup) -> str:
    """The prompt of reasoning without tools."""
    shown = "".join(f"{QUESTION} {q}\n{THOUGHT} {t}\n{ANSWER} {a}\n\n" for q, t, a in _REASONED)
    return f"{shown}{QUESTION} {setup.question}\n{THOUGHT}"


def planned(setup: Setup) -> str:
    """The prompt that asks for a plan."""
    shown = "".join(f"{QUESTION} {q}\n{PLAN} {plan}\n\n" for q, plan in _PLANNED)
    return f"{head(setup.allowed)}{shown}{QUESTION} {setup.question}\n{PLAN}"


def stepped(setup: Setup, known: str, step: str, lead: str) -> str:
    """The prompt that has one step of a plan carried out; other steps are known by their results."""
    shown = "".join(
        _step(before, words) + spelled(action, setup.form) + "\n\n"
        for before, words, action in _STEPS
        if action.tool in setup.allowed
    )
    return f"{head(setup.allowed)}{shown}{_step(known, step)}{lead}"


def _step(known: str, step: str) -> str:
    return f"{f'{KNOWN} {known}' + chr(10) if known else ''}{STEP} {step}\n"


def answered(setup: Setup, known: str) -> str:
    """The prompt that asks for the answer once every step of a plan is done."""
    shown = "".join(f"{KNOWN} {k}\n{QUESTION} {q}\n{ANSWER} {a}\n\n" for k, q, a in _ANSWERED)
    return f"{shown}{KNOWN} {known}\n{QUESTION} {setup.question}\n{ANSWER}"


def reflected(setup: Setup, turns: Record) -> str:
    """The prompt that asks for the lesson of a trial that failed."""
    shown = "".join(
        f"{QUESTION} {q}\n{spelled(action, 'text')}\n{OBSERVATION} {seen}\n{REFLECTION} {lesson}\n\n"
        for q, action, seen, lesson in _REFLECTED
    )
    acts = "".join(
        f"{spelled(turn.action, 'text')}\n{OBSERVATION} {turn.observation}\n" if turn.action is not None
        else f"{OBSERVATION} {turn.observation}\n"
        for turn in turns
    )  # fmt: skip
    return f"{shown}{QUESTION} {setup.question}\n{acts}{REFLECTION}"
