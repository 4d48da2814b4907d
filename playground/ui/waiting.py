"""The line that is drawn while a request waits, and the sentence that ends a run."""

from __future__ import annotations

import time
from types import TracebackType
from typing import NoReturn

import streamlit as st

from playground.engine.contract.asked import Asked
from playground.engine.contract.engine import Engine
from playground.engine.contract.waiting import Waiting
from playground.errors import PlaygroundError, Superseded
from playground.ui.progress import left
from playground.ui.state import click_waits, end_run
from playground.ui.text import _, sentence

SHOW_AFTER_S = 0.4  # a shorter wait needs no words


def stop_with(error: PlaygroundError) -> NoReturn:
    """Say the error in one sentence and end this run."""
    st.error(sentence(error))
    end_run()


class Clicked(Exception):
    """The reader did something else meanwhile."""


class WaitingLine:
    """One line while a request waits: what is happening, place in the queue, seconds, those left.

    Leaving it with an error cancels the request; an error of ours becomes its sentence and ends the run, a
    superseded request ends its run without a word (the newer one is drawing already).

    Args:
        engine, request: The engine, and the request that is waited for.
        ends_at_click: True if a click in a fragment, which waits for the end of this run, ends the request
            and raises `Clicked`.
        ends_run: True if an error of ours ends the run; otherwise it is raised, for pages that go on without.
    """

    def __init__(
        self, engine: Engine, request: Asked, *, ends_at_click: bool = False, ends_run: bool = True
    ) -> None:
        self._engine = engine
        self._request = request
        self._ends_at_click = ends_at_click
        self._ends_run = ends_run
        self._place = st.empty()
        self._drawn = ""
        self._started = time.monotonic()

    def __call__(self, waiting: Waiting) -> None:
        """Called by the engine some times a second, in this thread: `st` may end the run here."""
        if self._ends_at_click and click_waits():
            raise Clicked
        if waiting.waited_s < SHOW_AFTER_S:
            return
        words = self._words(waiting)  # reads the session state, which is where Streamlit may end the run
        if words != self._drawn:
            self._drawn = words
            self._place.caption(words)

    def __enter__(self) -> WaitingLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._engine.cancel(self._request.request_id)
        if isinstance(error, Superseded):
            end_run()
        if isinstance(error, PlaygroundError) and self._ends_run:
            self._place.error(sentence(error))
            end_run()
        if error is None or isinstance(error, Clicked | PlaygroundError):
            self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._place.empty()
            self._drawn = ""

    def remember(self) -> None:
        """Keep the duration, to say next time how long it took."""
        st.session_state[self._key] = time.monotonic() - self._started

    @property
    def _key(self) -> str:
        return f"seconds_{self._request.model}_{self._request.topic}"

    def _words(self, waiting: Waiting) -> str:
        if waiting.position > 0:
            doing = _("Waiting: place {position} in the queue").format(position=waiting.position)
        elif waiting.state == "ready":
            doing = _("The model is computing")
        else:
            doing = sentence(waiting.message) if waiting.message else _("The model is being loaded")
        words = [doing, _("{seconds:.0f} s").format(seconds=waiting.waited_s)]
        if coming := left(waiting.left_s):
            words.append(coming)
        elif (last := st.session_state.get(self._key)) is not None:
            words.append(_("last time {seconds:.1f} s").format(seconds=last))
        return " · ".join(words)
