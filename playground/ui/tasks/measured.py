"""Answers to a set: asked once in this process, shown to every reader, gone on with after a stop."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

import streamlit as st

from playground.engine.contract.models import ModelInfo
from playground.ui.progress import Progress
from playground.ui.state import click_waits
from playground.ui.text import _

Answer = TypeVar("Answer")
Question = tuple[str, ...]  # job, language, and what answers
N_KNOWN = 64  # some kilobytes each
TURN_S = 0.3


@dataclass
class Measurement(Generic[Answer]):
    """The answers to a set, as far as they are known.

    Attributes:
        answers: Number of an item in its set -> the answer.
        seconds: Time they took.
        turn: Held by the reader whose run asks; others wait for what it finds.
    """

    answers: dict[int, Answer] = field(default_factory=dict)
    seconds: float = 0.0
    turn: Lock = field(default_factory=Lock)


_known: OrderedDict[Question, Measurement[Any]] = OrderedDict()
_lock = Lock()


def measurement(*question: str) -> Measurement[Any]:
    """The answers to a question, the same object for all who ask it."""
    with _lock:
        found = _known.setdefault(question, Measurement())
        _known.move_to_end(question)
        while len(_known) > N_KNOWN:
            _known.popitem(last=False)
        return found


def of_model(model: ModelInfo) -> tuple[str, str]:
    """A model as part of a question."""
    return model.model_id, model.revision


def complete(
    found: Measurement[Answer],
    wanted: Sequence[int],
    bar: Progress,
    words: str,
    ask: Callable[[Sequence[int]], Generator[tuple[int, Answer]]],
) -> bool:
    """Ask what is missing, one reader at a time; the others see how far it is.

    Args:
        found: Takes the answers as they come.
        wanted: Numbers of the items.
        bar: Shows how many are answered.
        words: Message of the bar; `{done}` and `{total}` are filled in.
        ask: Gives the answers to some items.

    Returns:
        False if a click ended it before all was known.
    """

    def told() -> None:
        done = sum(place in found.answers for place in wanted)
        bar.draw(done, words.format(done=done, total=len(wanted)))

    while not found.turn.acquire(timeout=TURN_S):
        told()
        if click_waits():
            return False
    try:
        missing = [place for place in wanted if place not in found.answers]
        before = time.monotonic()
        with closing(ask(missing)) as answered:
            for place, answer in answered:
                found.answers[place] = answer
                now = time.monotonic()
                found.seconds, before = found.seconds + now - before, now
                told()
    finally:
        found.turn.release()
    return all(place in found.answers for place in wanted)


class Buttons:
    """*Measure* (or *Go on*) and *Stop* of a measurement that takes long.

    Args:
        key: Begins the keys of both.
        n_done, total: Items that are answered, and all.
    """

    def __init__(self, key: str, n_done: int, total: int) -> None:
        self._key = f"{key}_wanted"
        is_open = n_done < total
        self.wanted = bool(st.session_state.get(self._key)) and is_open
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.button(
                _("Go on") if 0 < n_done < total else _("Measure"), type="primary", key=f"{key}_start",
                icon=":material/query_stats:", on_click=self._want, args=(True,),
                disabled=not is_open or self.wanted,
            )  # fmt: skip
            st.button(
                _("Stop"), key=f"{key}_stop", icon=":material/stop:", on_click=self._want, args=(False,),
                disabled=not self.wanted,
            )  # fmt: skip

    def done(self) -> None:
        """Want nothing any more."""
        self._want(False)

    def _want(self, wanted: bool) -> None:
        st.session_state[self._key] = wanted
