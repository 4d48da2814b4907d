"""Several personas of one model that talk about a question in turns, and how sure each is before and after.

    Should homework be abolished?                             the question

    Student, a tired student, says: "I would rather play."    what was said so far
    Teacher, a strict teacher, says: "                        <- the model goes on, up to the next quote

Every utterance names what its role is: a small model forgets what only the head of a prompt says.
A mind is read, not asked: the log-probabilities of two answers behind the same prompt, made into a share.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from playground.core.sampling import Sampling
from playground.paths import site_root

FOLDER, FILE = "agents", "talks.json"
ROUNDS, N_NEW = 2, 32
UTTERANCE = Sampling(temperature=0.7, top_p=0.9)  # greedy, a small model repeats what was said last
STOP = ('"', "\n")  # ends an utterance
MAX_ROLES = 3


@dataclass(frozen=True, slots=True)
class Role:
    """A persona: its name, and what it is."""

    name: str
    is_what: str


@dataclass(frozen=True, slots=True)
class TalkSetup:
    """A talk that is to be held.

    Attributes:
        question: The question.
        answers: The two answers that are weighed.
        roles: The personas, in the order in which they speak.
        rounds: Times that each speaks.
        seed: Seed of the first utterance; each next one has the next.
    """

    question: str
    answers: tuple[str, str]
    roles: tuple[Role, ...]
    rounds: int = ROUNDS
    seed: int = 0

    @property
    def n_utterances(self) -> int:
        """Utterances of the whole talk."""
        return self.rounds * len(self.roles)


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk, as far as it has come.

    Attributes:
        setup: What it is about.
        said: The utterances, in order.
        before, after: Share of the first answer in each role's mind before and after it; () until it is read.
    """

    setup: TalkSetup
    said: tuple[str, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()

    @property
    def is_over(self) -> bool:
        """True once all have spoken."""
        return len(self.said) >= self.setup.n_utterances

    def speaker(self, number: int) -> Role:
        """The role that speaks an utterance."""
        return self.setup.roles[number % len(self.setup.roles)]


DEFAULTS: Mapping[str, TalkSetup] = MappingProxyType(
    {
        "en": TalkSetup(
            "Should homework be abolished?", ("Yes", "No"),
            (
                Role("Student", "a tired student who wants to play after school"),
                Role("Teacher", "a strict teacher who believes in practice"),
            ),
        ),
    }
)  # fmt: skip


def _lead(role: Role) -> str:
    return f'{role.name}, {role.is_what}, says: "'


def _so_far(talk: Talk) -> str:
    said = "".join(f'{_lead(talk.speaker(n))}{text}"\n' for n, text in enumerate(talk.said))
    return f"{talk.setup.question}\n\n{said}"


def next_prompt(talk: Talk) -> str:
    """The prompt of the next utterance.

    Example:
        >>> next_prompt(Talk(TalkSetup("Tea?", ("Yes", "No"), (Role("Ann", "a cook"),)))).splitlines()[-1]
        'Ann, a cook, says: "'
    """
    return f"{_so_far(talk)}{_lead(talk.speaker(len(talk.said)))}"


def opinion_prompt(talk: Talk, role: Role) -> str:
    """The prompt behind which the two answers of a role are weighed.

    Example:
        >>> ann = Role("Ann", "a cook")
        >>> opinion_prompt(Talk(TalkSetup("Tea?", ("Yes", "No"), (ann,))), ann).splitlines()[-1]
        'Tea? Ann, a cook, answers (Yes / No):'
    """
    first, second = talk.setup.answers
    return f"{_so_far(talk)}{talk.setup.question} {role.name}, {role.is_what}, answers ({first} / {second}):"


def candidates(setup: TalkSetup) -> tuple[str, str]:
    """The two answers as they go on from the prompt of an opinion."""
    first, second = setup.answers
    return f" {first}", f" {second}"


def share(logprobs: tuple[float, float]) -> float:
    """Probability of the first of two answers, when only these two are possible.

    Args:
        logprobs: Log-probability of each answer, nats.

    Example:
        >>> share((math.log(0.3), math.log(0.1)))
        0.75
    """
    return round(1 / (1 + math.exp(logprobs[1] - logprobs[0])), 12)


# ---------------------------------------------------------------- the talks that are shipped


@dataclass(frozen=True, slots=True)
class RecordedTalk:
    """A talk of a model, recorded; `model_id` and `revision` name it."""

    model_id: str
    revision: str
    talk: Talk


def written(talks: Iterable[RecordedTalk]) -> str:
    """Talks as the text of a JSON file."""
    return json.dumps([asdict(one) for one in talks], ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> tuple[RecordedTalk, ...]:
    """Talks out of the text that `written` gives."""
    return tuple(_recorded(one) for one in json.loads(text))


def _recorded(row: Mapping[str, Any]) -> RecordedTalk:
    talk, setup = row["talk"], dict(row["talk"]["setup"])
    setup["roles"] = tuple(Role(**role) for role in setup["roles"])
    setup["answers"] = tuple(setup["answers"])
    parts = (tuple(talk[name]) for name in ("said", "before", "after"))
    return RecordedTalk(row["model_id"], row["revision"], Talk(TalkSetup(**setup), *parts))


@cache
def shipped() -> tuple[RecordedTalk, ...]:
    """The talks that come with the playground."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))
