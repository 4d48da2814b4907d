"""Measurements that this session has before its eyes, taken down by the pages that make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.ui.state import outlives_reload

Kind = Literal["prompt", "search", "answers", "adapter"]
MOST = 32
_KEY = "findings"
outlives_reload(_KEY)


@dataclass(frozen=True, slots=True)
class Finding:
    """A share that a page has measured.

    Attributes:
        kind: prompt (right labels behind a prompt with examples), search (questions whose chunk is among the
            first three), answers (right answers with the right chunks in the prompt), adapter (right answers
            to questions in other words, after training).
        model: Id of the model.
        share: 0 to 1.
        n: Items it was measured on.
        before: The same without: examples, chunks, training; None where there is none.
    """

    kind: Kind
    model: str
    share: float
    n: int
    before: float | None = None


def note(kind: Kind, model: str, share: float, n: int, before: float | None = None) -> None:
    """Take a measurement down; it takes the place of the one of the same kind and model."""
    if not n:
        return
    known = [one for one in every() if (one.kind, one.model) != (kind, model)]
    st.session_state[_KEY] = (*known, Finding(kind, model, share, n, before))[-MOST:]


def every() -> tuple[Finding, ...]:
    """All of this session, the latest last."""
    found: tuple[Finding, ...] = st.session_state.get(_KEY, ())
    return found


def latest(kind: Kind) -> Finding | None:
    """The latest of a kind."""
    return next((one for one in reversed(every()) if one.kind == kind), None)
