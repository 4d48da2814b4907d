"""Answers of the ways: those that are shipped, and those that somebody has had measured in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock

from playground.core.ways import Way, WayAnswers, shipped
from playground.engine.contract.models import ModelInfo

N_KNOWN = 128  # some kilobytes each
Question = tuple[Way, str, tuple[str, ...], str, str]


@dataclass
class Measured:
    """One question of all readers.

    Attributes:
        answers: Its answers, once they are known.
        words: How far it is, for those who wait for the reader whose turn it is.
        turn: Held by that reader's run.
    """

    answers: WayAnswers | None = None
    words: str = ""
    turn: Lock = field(default_factory=Lock)


_known: OrderedDict[Hashable, Measured] = OrderedDict()
_lock = Lock()


def question(way: Way, task: str, languages: tuple[str, ...], model: ModelInfo) -> Question:
    """All that a way's answers depend on."""
    return way, task, languages, model.model_id, model.revision


def measured(asked: Question) -> Measured:
    """The record of a question, the same object for all who ask it."""
    with _lock:
        found = _known.setdefault(asked, Measured())
        _known.move_to_end(asked)
        while len(_known) > N_KNOWN:
            _known.popitem(last=False)
        return found


def known(asked: Question) -> WayAnswers | None:
    """The answers that were measured here, else those that are shipped."""
    own = measured(asked).answers
    return own or next((one for one in shipped() if one.question == asked), None)


def is_own(asked: Question) -> bool:
    """True if they were measured in this process."""
    return measured(asked).answers is not None
