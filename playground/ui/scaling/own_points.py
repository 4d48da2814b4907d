"""The reader's own tiny models: points that stand in the picture as long as the session has them."""

from __future__ import annotations

import streamlit as st

from playground.core.scaling_runs import TinyRun
from playground.ui.state import outlives_reload

KEPT = "sca_own"  # run id -> its run
outlives_reload(KEPT)
MOST = 12


def runs() -> list[TinyRun]:
    """The runs, oldest first."""
    return list(_kept().values())


def has(run_id: str) -> bool:
    """True if this run is a point already."""
    return run_id in _kept()


def add(run_id: str, run: TinyRun) -> None:
    """Keep a run; the oldest goes where there are too many."""
    kept = _kept() | {run_id: run}
    st.session_state[KEPT] = dict(list(kept.items())[-MOST:])


def forget() -> None:
    """Take all of them away; a callback."""
    st.session_state[KEPT] = {}


def _kept() -> dict[str, TinyRun]:
    kept: dict[str, TinyRun] = st.session_state.get(KEPT, {})
    return kept
