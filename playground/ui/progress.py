"""The bar over a long job: how much of it is done, and about how long the rest takes."""

from __future__ import annotations

import time

import streamlit as st

from playground.engine.contract.models import AdapterName
from playground.ui.text import _

SHORT_S = 2.0  # a rest that is shorter needs no words
MINUTES_FROM_S = 90.0

_measured: dict[tuple[str, str], float] = {}  # (kind, base model) -> seconds a part took on this machine


class Progress:
    """A bar that is filled part by part. How long the rest takes is measured, never guessed.

    While the job runs it is measured on the job itself, whoever else keeps the model busy; before its first
    part, on the last job of its kind with the same model on this machine. Unknown, nothing is said.

    Args:
        kind: Kind of job, whose parts take equally long.
        model_id: The model that computes.
        total: Parts of the whole job.
        words: Message before the first part.
        done: Parts that an earlier run has done.
    """

    def __init__(self, kind: str, model_id: str, total: float, words: str, done: float = 0.0) -> None:
        self._kind = kind, AdapterName.of(model_id).base_id
        self._total, self._before = total, done
        self._begun_at = time.monotonic()
        self._bar = st.progress(self._share(done), _joined(words, self.left_s(done)))

    def draw(self, done: float, words: str) -> None:
        """Say how much is done.

        Args:
            done: Parts, those of an earlier run too.
            words: Message with the number of these.
        """
        if done > self._before:
            _measured[self._kind] = (time.monotonic() - self._begun_at) / (done - self._before)
        self._bar.progress(self._share(done), _joined(words, self.left_s(done)))

    def left_s(self, done: float) -> float | None:
        """Seconds until all parts are done, None where nothing has been measured."""
        a_part_s = _measured.get(self._kind)
        return None if a_part_s is None else a_part_s * max(0.0, self._total - done)

    def _share(self, done: float) -> float:
        return min(1.0, done / self._total) if self._total else 1.0


def left(seconds: float | None) -> str:
    """About how long something still takes, "" where that is unknown or short."""
    if seconds is None or seconds < SHORT_S:
        return ""
    if seconds < MINUTES_FROM_S:
        return _("about {n:.0f} s left").format(n=seconds)
    return _("about {n:.0f} min left").format(n=seconds / 60)


def _joined(words: str, left_s: float | None) -> str:
    return " · ".join(filter(None, (words, left(left_s))))
