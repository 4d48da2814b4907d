"""The index theatre: how five indexes find the chunks nearest to a question, and what they pay for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.core.chunk_map import Plane, plane
from playground.core.indexes.flat import Flat
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
N_AT_ONCE = 400  # shipped chunks: their graph is a fifth of a second
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


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """Everything that an index is drawn from: `first_at` and `second_at` are places for its settings."""

    of: Vectored
    asked: Asked
    stage: Stage
    on: Plane
    first_at: DeltaGenerator
    second_at: DeltaGenerator

    @property
    def k(self) -> int:
        """Number of neighbours."""
        return len(self.stage.exact)


def panel(owner: str, own: Vectored | None, asked: Asked | None) -> None:
    """Draw the theatre.

    Args:
        owner: The session.
        own: The chunks that the page looks up in; None while they are not there.
        asked: The page's question; None without one.
    """
    st.markdown(f"## {_('How are the nearest of many vectors found, and what does each way pay?')}")
    kinds: dict[str, str] = {
        "hnsw": "HNSW", "ivf": "IVF", "lsh": "LSH", "pq": "PQ", "flat": "flat",
    }  # fmt: skip
    kind_at, first_at, second_at, more_at = st.columns([6, 3.4, 3.4, 2.8], vertical_alignment="bottom")
    with kind_at:
        kind = choose("ret_index", kinds, _("Index"))
    with more_at, st.popover(_("More"), icon=":material/tune:"):
        of = _vectors(own, asked)
        question = _question(of, asked)
    stage, on = _stage(of, question)
    scene = _Scene(of, question, stage, on, first_at, second_at)
    drawn = _VIEWS[kind](scene)
    index_theatre(stage, drawn.view, key=f"ret_theatre_{kind}")
    _under(kind, scene, drawn)
    measuring.panel(of, owner)


def _vectors(own: Vectored | None, asked: Asked | None) -> Vectored:
    """The page's chunks, or the shipped ones; some of the latter alone while the former are not there."""
    if own is None:
        return _shipped(N_AT_ONCE)
    ours = _shipped()
    if (own.model != ours.model) and (asked is None or asked.model != own.model):
        return ours
    names = {
        "own": _("the chunks of these documents ({n:,})").format(n=len(own.chunks)),
        "ours": _("chunks that come with the playground ({n:,})").format(n=len(ours.chunks)),
    }
    return own if choose_from_list("ret_vectors", names, _("Vectors")) == "own" else ours


def _shipped(n: int | None = None) -> Vectored:
    """The first `n` shipped chunks, all without a number."""
    found = shipped_chunks()
    name = FOLDER if n is None else f"{FOLDER} {n}"
    return Vectored(name, MULTILINGUAL_ENCODER, found.chunks[:n], found.vectors[:n], is_shared=True)


def _question(of: Vectored, asked: Asked | None) -> Asked:
    """The page's question where its vector is of the same encoder, otherwise a shipped one."""
    shipped = shipped_chunks()
    names = {str(n): text for n, text in enumerate(shipped.questions[:N_OFFERED])}
    fits = asked is not None and asked.model == of.model
    if asked is not None and fits:
        names = {"mine": asked.text, **(names if of.name == FOLDER else {})}
    chosen = choose_from_list("ret_index_question", names, _("Question"))
    if asked is not None and chosen == "mine":
        return asked
    return Asked(shipped.questions[int(chosen)], shipped.question_vectors[int(chosen)], MULTILINGUAL_ENCODER)


def _stage(of: Vectored, asked: Asked) -> tuple[Stage, Plane]:
    on = built(of, "map", (), plane)
    flat = Flat(of.vectors)
    exact = flat.search(asked.vector, min(K, len(of.chunks))).places
    places, place = (on.place(own).astype(np.float32) for own in (of.vectors, asked.vector[None]))
    distances = flat.distances(asked.vector)
    return Stage(of.chunks, places, asked.text, place[0], distances, exact, of.vectors.shape[1]), on


def _flat(scene: _Scene) -> _Drawn:
    index = Flat(scene.of.vectors)
    return _Drawn(View("flat", {}, {}), index.search(scene.asked.vector, scene.k), {}, index.bytes_a_vector)


def _ivf(scene: _Scene) -> _Drawn:
    options = [one for one in _CELLS if one <= len(scene.of.chunks)] or [1]
    with scene.first_at:
        cells = slider(_("Cells"), options, _default(options, 12), key="ret_cells")
    index = built(scene.of, "ivf", (cells,), partial(Ivf.build, n_cells=cells, seed=SEED))
    found = index.search(scene.asked.vector, scene.k, 1)
    view = views.ivf_view(index, scene.asked.vector, scene.on)
    return _Drawn(view, found, {"cells": cells, "nprobe": 1}, index.bytes_a_vector)


def _lsh(scene: _Scene) -> _Drawn:
    with scene.first_at:
        bits = slider(_("Planes a table (bits)"), range(2, 13), 4, key="ret_bits")
    with scene.second_at:
        n_tables = slider(_("Tables"), range(1, 9), 2, key="ret_tables")
    build = partial(LshTables.build, n_bits=bits, n_tables=n_tables, seed=SEED)
    index = built(scene.of, "lsh", (bits, n_tables), build)
    found = index.search(scene.asked.vector, scene.k, 1)
    settings = {"bits": bits, "tables": n_tables, "probes": 1}
    return _Drawn(views.lsh_view(index, scene.asked.vector), found, settings, index.bytes_a_vector)


def _pq(scene: _Scene) -> _Drawn:
    options = [part for part in _PARTS if scene.stage.d % part == 0] or [1]
    with scene.first_at:
        parts = slider(_("Parts (m)"), options, _default(options, 16), key="ret_parts")
    with scene.second_at:
        bits = slider(_("Bits of a code"), range(2, 9), 4, key="ret_code_bits")
    build = partial(Pq.build, n_parts=parts, n_bits=bits, seed=SEED)
    index = built(scene.of, "pq", (parts, bits), build)
    found = index.search(scene.asked.vector, scene.k)
    view = views.pq_view(index, scene.of.vectors, scene.asked.vector, scene.stage.exact)
    return _Drawn(view, found, {"m": parts, "bits": bits}, index.bytes_a_vector)


def _hnsw(scene: _Scene) -> _Drawn:
    with scene.first_at:
        m = slider(_("Links of a node (M)"), _LINKS, 8, key="ret_links")
    with scene.second_at:
        ef = slider(_("Best that are kept (ef)"), _EFS, 10, key="ret_ef")
    build = partial(Hnsw.build, m=m, ef_construction=EF_CONSTRUCTION, seed=SEED)
    index = built(scene.of, "hnsw", (m,), build)
    path: list[Step] = []
    found = index.search(scene.asked.vector, scene.k, ef, path)
    settings = {"M": m, "efConstruction": EF_CONSTRUCTION, "ef": ef}
    return _Drawn(views.hnsw_view(index, path), found, settings, index.bytes_a_vector)


_VIEWS: dict[str, Callable[[_Scene], _Drawn]] = {
    "hnsw": _hnsw, "ivf": _ivf, "lsh": _lsh, "pq": _pq, "flat": _flat,
}  # fmt: skip


def _default(options: Sequence[int], wanted: int) -> int:
    return min(options, key=lambda one: abs(one - wanted))


def _under(kind: str, scene: _Scene, drawn: _Drawn) -> None:
    """The map's truth, the source of the vectors, values, picture and code."""
    of, stage = scene.of, scene.stage
    on_axes = _("Each chunk stands at its true and its looked-up distance, both in all {d} dimensions.")
    on_map = _(
        "The map is only a picture: it keeps {share:.0%} of what the {d} dimensions differ in. Every search "
        "and every distance is in all {d}; a squared distance of 0 is the same vector, 2 a right angle."
    )
    told = on_axes if kind == "pq" else on_map
    st.caption(told.format(share=float(scene.on.explained.sum()), d=stage.d))
    size = _("{n:,.0f} bytes a vector, whole vectors have {whole:,}").format(
        n=drawn.bytes_a_vector, whole=4 * stage.d
    )
    words = [of.model, _("vectors: {n:,}").format(n=len(of.chunks)), size, _("computed with NumPy")]
    st.caption(plain(" · ".join([*words, show.listed(drawn.settings)] if drawn.settings else words)))
    show.under_picture(
        "ret_indexes",
        frame=lambda: tables.neighbours(of.chunks, stage.distances, stage.exact, drawn.found.places),
        code=lambda: show.code("retrieval_indexes", kind=kind, settings=drawn.settings, k=scene.k),
        picture=f"ret_theatre_{kind}",
    )
    st.download_button(
        _("Vectors"), lambda: _file(scene), "vectors.npz", on_click="ignore", key="ret_vectors_file",
        icon=":material/download:", help=_("The vectors and the question, as the code reads them"),
    )  # fmt: skip


def _file(scene: _Scene) -> bytes:
    kept = io.BytesIO()
    np.savez(kept, vectors=scene.of.vectors, query=scene.asked.vector)
    return kept.getvalue()
