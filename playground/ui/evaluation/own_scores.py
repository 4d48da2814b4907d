"""Scores of a reader's own texts, row by row, with progress and Stop; kept for all who have the same file."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from playground.core.byte_cache import ByteCache
from playground.core.files.prediction_rows import Prediction
from playground.core.metrics.bleu import BleuTokenizer
from playground.core.metrics.predictions import RowScores, Summary, row_scores, summaries
from playground.core.metrics.rouge import RougeTokenizer
from playground.ui.progress import Progress
from playground.ui.text import _

RUN = "ev_own_run"
AT_ONCE = 20  # rows that need no click
_EVERY_S = 0.3  # between two messages to the browser
_TURN = threading.Semaphore(1)  # pure Python: more at once would be no faster, and others would wait


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of all rows of a file.

    Attributes:
        rows: Scores of each row.
        summaries: Each score of all rows.
        signature: How the BLEU of the corpus was made.
    """

    rows: tuple[RowScores, ...]
    summaries: tuple[Summary, ...]
    signature: str

    @property
    def size_bytes(self) -> int:
        """Bytes kept alive, about."""
        return 2_000 * len(self.rows)


@dataclass(eq=False)
class _Run:
    """The rows that one session has scored so far."""

    key: tuple[object, ...]
    running: bool
    rows: list[RowScores] = field(default_factory=list)


_known: ByteCache[Scored] = ByteCache(16 * 2**20)


def scored(
    predictions: Sequence[Prediction], by_bleu: BleuTokenizer, by_rouge: RougeTokenizer
) -> Scored | None:
    """The scores; None while they are not all there (draws the button, the bar and Stop)."""
    key = (by_bleu, by_rouge, tuple((one.references, one.candidate) for one in predictions))
    known = _known.get(key)
    if known is not None:
        return known
    run: _Run | None = st.session_state.get(RUN)
    if run is None or run.key != key:
        run = st.session_state[RUN] = _Run(key, running=len(predictions) <= AT_ONCE)
    if not run.running:
        left = len(predictions) - len(run.rows)
        told = _("Score all rows ({n:,})") if not run.rows else _("Go on (rows left: {n:,})")
        st.button(
            told.format(n=left), key="ev_own_score", type="primary", icon=":material/play_arrow:",
            on_click=_set_running, args=(run, True),
        )  # fmt: skip
        return None
    place = st.empty()
    with place.container():
        _score(run, predictions, by_bleu, by_rouge)
    place.empty()
    total, signature = summaries(
        run.rows, [one.candidate for one in predictions], [one.references for one in predictions], by_bleu
    )
    found = Scored(tuple(run.rows), tuple(total), signature)
    _known.put(key, found)
    del st.session_state[RUN]
    return found


def _score(
    run: _Run, predictions: Sequence[Prediction], by_bleu: BleuTokenizer, by_rouge: RougeTokenizer
) -> None:
    """Score what is left; `st` may end the run at any message, `run` keeps what it has."""
    left, right = st.columns([5, 1], vertical_alignment="center")
    with right:
        st.button(
            _("Stop"), key="ev_own_stop", icon=":material/stop:", on_click=_set_running, args=(run, False)
        )
    with left:
        words = _("{done:,} of {total:,} rows scored")
        bar = Progress(
            "own predictions", by_rouge, len(predictions), _("Rows are scored"), done=len(run.rows)
        )
    while not _TURN.acquire(timeout=_EVERY_S):
        bar.draw(len(run.rows), _("Another reader's file is scored first"))
    try:
        drawn_at = time.monotonic()
        for one in predictions[len(run.rows) :]:
            run.rows.append(row_scores(one.candidate, one.references, by_bleu, by_rouge))
            if time.monotonic() - drawn_at > _EVERY_S:
                drawn_at = time.monotonic()
                bar.draw(len(run.rows), words.format(done=len(run.rows), total=len(predictions)))
    finally:
        _TURN.release()


def _set_running(run: _Run, running: bool) -> None:
    run.running = running
