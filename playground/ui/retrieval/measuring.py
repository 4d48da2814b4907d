"""One picture of all indexes: recall against the time of a search and the bytes of a vector, by faiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts import indexes as charts
from playground.core.indexes.found import Vectors
from playground.core.indexes.measured import N_REPEATS, Point, code_bits
from playground.core.indexes.shipped_points import shipped_points
from playground.core.tables import indexes as tables
from playground.settings import MULTILINGUAL_ENCODER
from playground.ui import compute, show
from playground.ui.choose import choose_from_list
from playground.ui.progress import left
from playground.ui.retrieval.built import Vectored
from playground.ui.retrieval.measurements import ENDED, Measurements, Progress
from playground.ui.text import _, plain

N_PIECES, N_HELD_OUT, N_LEAST = 100_000, 200, 40
_GOOD, _FAIR = 0.95, 0.8
_POLL_S = 1.0
_PIECES = "pieces"


@st.cache_resource(show_spinner=False)
def measurements() -> Measurements:
    """The measurements of this process."""
    return Measurements()


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Vectors that can be measured here; `of` is None for the pieces of words."""

    name: str
    of: Vectored | None

    def load(self) -> tuple[Vectors, Vectors]:
        """The vectors [n, d] and the questions [question, d]."""
        if self.of is None:
            table = compute.vectors().embedding_table(MULTILINGUAL_ENCODER).vectors
            rows = np.random.default_rng(0).permutation(len(table))[: N_PIECES + N_HELD_OUT]
            pieces = table[rows]
            pieces /= np.maximum(np.linalg.norm(pieces, axis=1, keepdims=True), np.finfo(np.float32).tiny)
            return pieces[N_HELD_OUT:], pieces[:N_HELD_OUT]
        vectors = np.random.default_rng(0).permutation(self.of.vectors)
        held_out = n_held_out(len(vectors))
        return vectors[held_out:], vectors[:held_out]


def n_held_out(n: int) -> int:
    """Number of `n` vectors that are the questions."""
    return min(N_HELD_OUT, n // 5)


def panel(of: Vectored, owner: str) -> None:
    """Draw the measured picture.

    Args:
        of: The vectors of the theatre.
        owner: The session.
    """
    st.markdown(f"## {_('What does each index pay? Measured')}")
    shipped = shipped_points()
    names = {
        "shipped": _("chunks, measured beforehand ({n:,})").format(n=shipped.n_vectors),
        "here": _("the chunks above, on this server ({n:,})").format(n=len(of.chunks)),
        _PIECES: _("pieces of words, on this server ({n:,})").format(n=N_PIECES),
    }
    chosen = choose_from_list("ret_measured", names, _("Measured vectors"))
    if chosen == "shipped":
        _draw(shipped.points, _about_shipped(), running=False)
    elif chosen == "here" and len(of.chunks) < N_LEAST:
        st.info(
            _("Too few chunks to measure: {n}, at least {least} are needed.").format(
                n=len(of.chunks), least=N_LEAST
            )
        )
    else:
        source = _Source(_PIECES, None) if chosen == _PIECES else _Source(of.name, of)
        _here(source, owner)


def _here(source: _Source, owner: str) -> None:
    """A measurement of this server: what is known, else the button that begins it."""
    state = measurements().state(source.name)
    if state is not None and state.status not in ENDED:
        _running(source, owner)
        return
    if state is not None and state.points:
        _draw(
            state.points, _about_here(state), 0 if source.of is None else len(source.of.chunks), running=False
        )
    if state is not None and state.status == "done":
        return
    if state is not None and state.status == "failed":
        st.error(_("The measurement failed; the server's log says why."))
    if source.of is None:
        st.caption(
            _(
                "The rows of {model}'s own table of embeddings: real vectors that this server holds already, "
                "none of them twice. It takes a few minutes beside everything else and 0.5 GB of memory."
            ).format(model=MULTILINGUAL_ENCODER)
        )
    st.button(_("Measure"), key="ret_measure", icon=":material/speed:", on_click=_begin, args=(source, owner))
    if st.session_state.pop("ret_measure_full", False):
        st.warning(_("Too many measurements wait on this server; try again in a minute."))


def _begin(source: _Source, owner: str) -> None:
    if not measurements().begin(source.name, source.load, owner):
        st.session_state["ret_measure_full"] = True


@st.fragment(run_every=_POLL_S)
def _running(source: _Source, owner: str) -> None:
    """The points so far; the page is drawn anew at the end."""
    state = measurements().state(source.name)
    if state is None or state.status in ENDED:
        st.rerun()
    bar_at, stop_at = st.columns([6, 1], vertical_alignment="center")
    bar_at.progress(len(state.points) / max(1, state.n_points), plain(_words(state)))
    stop_at.button(
        _("Stop"), key="ret_measure_stop", icon=":material/stop:", on_click=measurements().stop,
        args=(source.name, owner),
    )  # fmt: skip
    if state.points:
        _draw(state.points, _about_here(state), running=True)


def _words(state: Progress) -> str:
    if state.position:
        return _("Waiting: place {position} in the queue").format(position=state.position)
    words = [_("{done} of {total} settings measured").format(done=len(state.points), total=state.n_points)]
    if len(state.points) > 1:
        words.append(left(state.elapsed_s / len(state.points) * (state.n_points - len(state.points))))
    words.append(_("other pages stay usable meanwhile"))
    return " · ".join(filter(None, words))


def _draw(points: Sequence[Point], about: str, n: int = 0, *, running: bool) -> None:
    show.show_chart(
        charts.measured(_chart_words()),
        "ret_measured_picture",
        _("Recall of indexes against their cost"),
        data=tables.drawn(points, _("exact")),
    )
    if running:
        return
    st.markdown(_read(points))
    st.caption(plain(about))
    show.under_picture(
        "ret_measured",
        frame=lambda: tables.points(points),
        code=lambda: show.code("retrieval_measured", **_settings_of_code(n)),
        picture="ret_measured_picture",
    )


def _settings_of_code(n: int) -> dict[str, object]:
    """Questions and bits of the measurement of `n` vectors here; those of the script for others."""
    if not n:
        return {}
    held_out = n_held_out(n)
    return {"n_questions": held_out, "bits": code_bits(n - held_out)}


def _chart_words() -> dict[str, str]:
    return {
        "recall": _("recall@10"),
        "us": _("microseconds a question"),
        "bytes": _("bytes a vector"),
        "settings": _("settings"),
        "interval": _("95 % interval"),
        "repeats": _("fastest and slowest repeat"),
        "index": _("index"),
        "hnsw": _("HNSW, by ef"),
        "ivf": _("IVF, by nprobe"),
        "pq": _("PQ, by parts"),
        "lsh": _("LSH, by bits"),
        "flat": _("flat (exact)"),
    }


def _read(points: Sequence[Point]) -> str:
    """The picture in words: the quickest of those that find nearly all, and the smallest of fair ones."""
    exact = next(point for point in points if point.index == "flat")
    others = [point for point in points if point.index != "flat"]
    good = [point for point in others if point.recall >= _GOOD]
    if not good:
        return _("None finds {share:.0%} of the exact answer.").format(share=_GOOD)
    quick = min(good, key=lambda point: point.us)
    small = min((point for point in others if point.recall >= _FAIR), key=lambda point: point.bytes_a_vector)
    told = _(
        "Of those that find {good:.0%} the quickest is {quick} ({quick_settings}): {us:,.0f} µs a question, "
        "exact search {exact_us:,.0f}. Of those that find {fair:.0%} the smallest is {small} "
        "({small_settings}): {bytes:,.0f} bytes a vector instead of {exact_bytes:,.0f}."
    )
    return told.format(
        good=_GOOD, quick=quick.index.upper(), quick_settings=tables.settings_of(quick), us=quick.us,
        exact_us=exact.us, fair=_FAIR, small=small.index.upper(), small_settings=tables.settings_of(small),
        bytes=small.bytes_a_vector, exact_bytes=exact.bytes_a_vector,
    )  # fmt: skip


def _about_shipped() -> str:
    shipped = shipped_points()
    words = [
        _("faiss {version}, one thread").format(version=shipped.faiss),
        _("measured beforehand on {processor}, by a script of the playground").format(
            processor=shipped.processor
        ),
        _("questions: {n:,}, their time is the median of {repeats} repeats").format(
            n=shipped.n_questions, repeats=N_REPEATS
        ),
        _(
            "runs of 8, 12, 16 and 20 words of the playground's texts: all real and none twice, but many "
            "share most of their words"
        ),
    ]
    return " · ".join(words)


def _about_here(state: Progress) -> str:
    words = [
        _("faiss, one thread of this server: microseconds are of this machine, beside everything it does"),
        _("vectors: {n:,}").format(n=state.n_vectors),
        _("questions: {n:,}, their time is the median of {repeats} repeats").format(
            n=state.n_questions, repeats=N_REPEATS
        ),
        _("the questions are vectors that were left out"),
    ]
    return " · ".join(words)
