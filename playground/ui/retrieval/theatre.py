"""The index theatre: how five indexes find the chunks nearest to a question, and what they pay for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from playground.core.indexes.flat import Flat
from playground.core.indexes.flat_map import FlatMap, flat_map
from playground.core.indexes.found import Found, Vectors
from playground.core.indexes.hnsw import Hnsw, Step
from playground.core.indexes.ivf import Ivf
from playground.core.indexes.lsh import LshTables
from playground.core.indexes.measured import K
from playground.core.indexes.pq import Pq
from playground.core.indexes.shipped import FOLDER, shipped_chunks
from playground.core.tables import indexes as tables
from playground.settings import MULTILINGUAL_ENCODER
from playground.ui import show
from playground.ui.choose import choose, choose_from_list
from playground.ui.components.index_theatre import Stage, View, index_theatre
from playground.ui.number import slider
from playground.ui.retrieval import measuring, views
from playground.ui.retrieval.built import Vectored, built
from playground.ui.text import _, plain

EF_CONSTRUCTION, SEED = 40, 0
N_OFFERED = 12  # shipped questions
_CELLS = (2, 4, 8, 12, 16, 32, 64, 128)
_PARTS = (4, 8, 16, 32, 48, 96)
_LINKS = (2, 4, 8, 16, 32)
_EFS = (10, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question, and its vector of length 1 by an encoder. Shape [d]."""

    text: str
    vector: Vectors
    model: str


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """An index that is drawn: what the script draws, and the values below the picture."""

    view: View
    found: Found
    settings: dict[str, int]
    bytes_a_vector: float


def panel(owner: str, own: Vectored | None, asked: Asked | None) -> None:
    """Draw the theatre.

    Args:
        owner: The session.
        own: The chunks that the page looks up in; None while they are not there.
        asked: The page's question; None without one.
    """
    st.markdown(_("How are the nearest of many vectors found, and what does each way pay?"))
    kinds: dict[str, str] = {
        "hnsw": "HNSW", "ivf": "IVF", "lsh": "LSH", "pq": "PQ", "flat": _("flat (exact)"),
    }  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = choose("ret_index", kinds, _("Index"))
        of = _vectors(own, asked)
        question = _question(of, asked)
    stage, index_map = _stage(of, question)
    drawn = _VIEWS[kind](of, question, stage, index_map)
    index_theatre(stage, drawn.view, key=f"ret_theatre_{kind}")
    _under(kind, of, question, stage, drawn, index_map)
    measuring.panel(of, owner)


def _vectors(own: Vectored | None, asked: Asked | None) -> Vectored:
    """The page's chunks, or the shipped ones; the latter alone where there is no question to the former."""
    ours = _shipped()
    if own is None or (own.model != ours.model and (asked is None or asked.model != own.model)):
        return ours
    names = {
        "own": _("the chunks of these documents ({n:,})").format(n=len(own.chunks)),
        "ours": _("{n:,} chunks that come with the playground").format(n=len(ours.chunks)),
    }
    return own if choose_from_list("ret_vectors", names, _("Vectors")) == "own" else ours


def _shipped() -> Vectored:
    found = shipped_chunks()
    return Vectored(FOLDER, MULTILINGUAL_ENCODER, found.chunks, found.vectors, is_shared=True)


def _question(of: Vectored, asked: Asked | None) -> Asked:
    """The page's question where its vector is of the same encoder, otherwise a shipped one."""
    if asked is not None and asked.model == of.model:
        return asked
    shipped = shipped_chunks()
    names = {str(n): text for n, text in enumerate(shipped.questions[:N_OFFERED])}
    chosen = int(choose_from_list("ret_question", names, _("Question")))
    return Asked(shipped.questions[chosen], shipped.question_vectors[chosen], MULTILINGUAL_ENCODER)


def _stage(of: Vectored, asked: Asked) -> tuple[Stage, FlatMap]:
    index_map = built(of, "map", (), flat_map)
    flat = Flat(of.vectors)
    distances = flat.distances(asked.vector)
    exact = flat.search(asked.vector, min(K, len(of.chunks))).places
    places = index_map.place(asked.vector[None])[0]
    d = of.vectors.shape[1]
    return Stage(of.chunks, index_map.places, asked.text, places, distances, exact, d), index_map


def _flat(of: Vectored, asked: Asked, stage: Stage, _index_map: FlatMap) -> _Drawn:
    index = Flat(of.vectors)
    found = index.search(asked.vector, len(stage.exact))
    return _Drawn(View("flat", {}, {}), found, {}, index.bytes_a_vector)


def _ivf(of: Vectored, asked: Asked, stage: Stage, index_map: FlatMap) -> _Drawn:
    options = _upto(_CELLS, len(of.chunks))
    cells = slider(_("Cells"), options, _default(options, 12), key="ret_cells")
    index = built(of, "ivf", (cells,), partial(Ivf.build, n_cells=cells, seed=SEED))
    found = index.search(asked.vector, len(stage.exact), 1)
    view = views.ivf_view(index, asked.vector, index_map)
    return _Drawn(view, found, {"cells": cells, "nprobe": 1}, index.bytes_a_vector)


def _lsh(of: Vectored, asked: Asked, stage: Stage, _index_map: FlatMap) -> _Drawn:
    bits_at, tables_at = st.columns(2)
    with bits_at:
        bits = slider(_("Planes a table (bits)"), range(2, 13), 6, key="ret_bits")
    with tables_at:
        n_tables = slider(_("Tables"), range(1, 9), 2, key="ret_tables")
    build = partial(LshTables.build, n_bits=bits, n_tables=n_tables, seed=SEED)
    index = built(of, "lsh", (bits, n_tables), build)
    found = index.search(asked.vector, len(stage.exact), 1)
    settings = {"bits": bits, "tables": n_tables, "probes": 1}
    return _Drawn(views.lsh_view(index, asked.vector), found, settings, index.bytes_a_vector)


def _pq(of: Vectored, asked: Asked, stage: Stage, _index_map: FlatMap) -> _Drawn:
    parts_at, bits_at = st.columns(2)
    options = [part for part in _PARTS if stage.d % part == 0] or [1]
    with parts_at:
        parts = slider(_("Parts (m)"), options, _default(options, 16), key="ret_parts")
    with bits_at:
        bits = slider(_("Bits of a code"), range(2, 9), 4, key="ret_code_bits")
    index = built(of, "pq", (parts, bits), partial(Pq.build, n_parts=parts, n_bits=bits, seed=SEED))
    found = index.search(asked.vector, len(stage.exact))
    view = views.pq_view(index, of.vectors, asked.vector, stage.exact)
    return _Drawn(view, found, {"m": parts, "bits": bits}, index.bytes_a_vector)


def _hnsw(of: Vectored, asked: Asked, stage: Stage, _index_map: FlatMap) -> _Drawn:
    links_at, ef_at = st.columns(2)
    with links_at:
        m = slider(_("Links of a node (M)"), _LINKS, 8, key="ret_links")
    with ef_at:
        ef = slider(_("Best that are kept (ef)"), _EFS, 10, key="ret_ef")
    build = partial(Hnsw.build, m=m, ef_construction=EF_CONSTRUCTION, seed=SEED)
    index = built(of, "hnsw", (m,), build)
    path: list[Step] = []
    found = index.search(asked.vector, len(stage.exact), ef, path)
    settings = {"M": m, "efConstruction": EF_CONSTRUCTION, "ef": ef}
    return _Drawn(views.hnsw_view(index, path), found, settings, index.bytes_a_vector)


_VIEWS: dict[str, Callable[[Vectored, Asked, Stage, FlatMap], _Drawn]] = {
    "hnsw": _hnsw, "ivf": _ivf, "lsh": _lsh, "pq": _pq, "flat": _flat,
}  # fmt: skip


def _upto(options: Sequence[int], most: int) -> list[int]:
    return [one for one in options if one <= most] or [1]


def _default(options: Sequence[int], wanted: int) -> int:
    return min(options, key=lambda one: abs(one - wanted))


def _under(kind: str, of: Vectored, asked: Asked, stage: Stage, drawn: _Drawn, index_map: FlatMap) -> None:
    """The map's truth, the source of the vectors, values, picture and code."""
    st.caption(
        _(
            "The map is only a picture: it keeps {share:.0%} of what the {d} dimensions differ in. Every "
            "search and every distance is in all {d}; a squared distance of 0 is the same vector, 2 a right "
            "angle."
        ).format(share=index_map.explained, d=stage.d)
    )
    size = _("{n:,.0f} bytes a vector, whole vectors have {whole:,}").format(
        n=drawn.bytes_a_vector, whole=4 * stage.d
    )
    words = [of.model, _("{n:,} vectors").format(n=len(of.chunks)), size, _("computed with NumPy")]
    st.caption(plain(" · ".join([*words, show.listed(drawn.settings)] if drawn.settings else words)))
    show.under_picture(
        "ret_indexes",
        frame=lambda: tables.neighbours(of.chunks, stage.distances, stage.exact, drawn.found.places),
        code=lambda: show.code("retrieval_indexes", kind=kind, settings=drawn.settings, k=len(stage.exact)),
        picture=f"ret_theatre_{kind}",
    )
    st.download_button(
        _("Vectors"), lambda: _file(of, asked), "vectors.npz", on_click="ignore", key="ret_vectors_file",
        icon=":material/download:", help=_("The vectors and the question, as the code reads them"),
    )  # fmt: skip


def _file(of: Vectored, asked: Asked) -> bytes:
    kept = io.BytesIO()
    np.savez(kept, vectors=of.vectors, query=asked.vector)
    return kept.getvalue()
