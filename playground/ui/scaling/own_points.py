"""The reader's own tiny models: points that stand in the picture as long as the session has them."""

from __future__ import annotations

import streamlit as st

from playground.core.scaling_runs import TinyRun
from playground.ui.state import outlives_reload

KEPT = "sca_own"  # run id -> its run
STARTED = "sca_started"  # run id -> share of the text it was given
outlives_reload(KEPT, STARTED)
MOST = 12


def runs() -> list[TinyRun]:
    """The runs, oldest first."""
    return list(_kept().values())


def has(run_id: str) -> bool:
    """True if this run is a point already."""
    return run_id in _kept()


def add(run_id: str, run: TinyRun) -> None:
    """Keep a run; the oldest goes where there are too many."""
    every = list((_kept() | {run_id: run}).items())
    gone = {old for old, _run in every[:-MOST]}  # else they would be collected again
    st.session_state[STARTED] = {old: share for old, share in started().items() if old not in gone}
    st.session_state[KEPT] = dict(every[-MOST:])


def forget() -> None:
    """Take all of them away, not those that still train; a callback."""
    st.session_state[STARTED] = {run_id: share for run_id, share in started().items() if not has(run_id)}
    st.session_state[KEPT] = {}


def started() -> dict[str, float]:
    """Runs that were started here -> share of the text each was given."""
    found: dict[str, float] = st.session_state.get(STARTED, {})
    return found


def start(run_id: str, share: float) -> None:
    """Remember a run."""
    st.session_state[STARTED] = started() | {run_id: share}


def _kept() -> dict[str, TinyRun]:
    kept: dict[str, TinyRun] = st.session_state.get(KEPT, {})
    return kept
