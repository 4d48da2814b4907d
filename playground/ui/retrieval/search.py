"""The search: the same question by vectors, by text and by both; the map of chunks and question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.core import bm25
from playground.core import sentences as core
from playground.core.bm25 import PieceCounts
from playground.core.byte_cache import ByteCache
from playground.core.chunk_map import Plane, plane
from playground.core.tables import retrieval as frames
from playground.engine.contract.models import AdapterName
from playground.engine.contract.retrieval import RRF_K, WAYS, Chunk, Found, Hit, Way
from playground.ui import compute, show, state
from playground.ui.components.hit_lists import Card, HitList, hit_lists
from playground.ui.components.vector_map import vector_map
from playground.ui.retrieval import asking, collection
from playground.ui.retrieval.asking import Asked
from playground.ui.retrieval.collection import Current
from playground.ui.state import PageContext
from playground.ui.text import N_, _, ngettext, plain, strong

SELECTED, MAP, LISTS = "ret_selected", "ret_map", "ret_lists"
N_NEIGHBOURS = 5
_MARKED_SHARE = 0.7  # of a BM25 score: the pieces that make it up are marked
_LABEL_CHARS = 80
_NAME_CHARS = 30
NAMES: Mapping[Way, str] = {
    "vector": N_("By meaning (vectors)"),
    "text": N_("By words (BM25)"),
    "hybrid": N_("Both (hybrid)"),
}
LAST = "ret_last"


@dataclass(frozen=True, slots=True)
class Last:
    """Facts about what was found last, which the tasks ask for.

    Attributes:
        question: The question.
        languages: Language of each chunk found by vectors.
        fused: Hybrid score of the first of them; nan where it is not in that list.
    """

    question: str
    languages: tuple[str, ...]
    fused: float


_planes: ByteCache[Plane] = ByteCache(2**20)
_counts: ByteCache[PieceCounts] = ByteCache(16 * 2**20)


def panel(context: PageContext) -> None:
    """Draw the question, three lists, the map, and what is near the selected chunk."""
    st.markdown(f"## {_('Which chunks fit the question?')}")
    now = collection.current(context)
    if now is None:
        return
    asked = asking.controls(now)
    found = {way: asking.search(context, now, asked, way) for way in WAYS}
    results = {way: one for way, one in found.items() if one is not None}
    if len(results) < len(WAYS):
        return
    st.session_state[LAST] = _facts_of(now, asked, results)
    _say(now, asked, results)
    selected = _selected(now)
    hit_lists([_list(way, results[way], now, asked) for way in WAYS], selected, key=LISTS, on_select=_select)
    _map(now, results, selected)
    _provenance(now, results)
    show.under_picture(
        "retrieval_search",
        frame=lambda: frames.found(
            {way: [(hit.number, hit.value) for hit in one.hits] for way, one in results.items()},
            [_facts(chunk) for chunk in now.content.chunks],
        ),
        code=lambda: _code(now, asked),
        picture=MAP,
    )


def last() -> Last | None:
    """Facts about what was found last, None before the first search."""
    found: Last | None = st.session_state.get(LAST)
    return found


def _facts_of(now: Current, asked: Asked, results: Mapping[Way, Found]) -> Last:
    hits = results["vector"].hits
    fused = [hit.value for hit in results["hybrid"].hits if hits and hit.number == hits[0].number]
    languages = tuple(now.content.chunks[hit.number].language for hit in hits)
    return Last(asked.question, languages, fused[0] if fused else math.nan)


# ---- the lists


def _list(way: Way, found: Found, now: Current, asked: Asked) -> HitList:
    scores = {
        "vector": {"cosine": _("cosine"), "l2": _("distance: smaller is nearer"), "dot": _("dot product")}[
            asked.metric
        ],
        "text": _("BM25 score over pieces of 2 and 3 characters"),
        "hybrid": _("1/({k} + rank) of both lists, added").format(k=RRF_K),
    }
    cards = [_card(way, hit, now, asked) for hit in found.hits]
    return HitList(_(NAMES[way]), scores[way], cards)


def _card(way: Way, hit: Hit, now: Current, asked: Asked) -> Card:
    chunk = now.content.chunks[hit.number]
    digits = {"vector": 3, "text": 2, "hybrid": 4}[way]
    marks: Sequence[bm25.Span] = ()
    note = ""
    if way == "text":
        parts = bm25.contributions(asked.question, chunk.text, _counted(now))
        marks = bm25.places(chunk.text, bm25.heaviest(parts, _MARKED_SHARE))
    elif way == "hybrid":
        ranks = [rank for rank in (hit.vector_rank, hit.text_rank) if rank]
        note = " + ".join(f"1/{RRF_K + rank}" for rank in ranks)
    return Card(hit.number, f"{hit.value:.{digits}f}", _place(chunk), chunk.text, marks, note)


def _place(chunk: Chunk) -> str:
    words = [chunk.source, _("chunk {n}").format(n=chunk.place + 1)]
    if chunk.page:
        words.append(_("page {n}").format(n=chunk.page))
    if chunk.date:
        words.append(chunk.date)
    return " · ".join(words)


def _counted(now: Current) -> PieceCounts:
    known = _counts.get(now.collection_id)
    if known is None:
        known = bm25.count([chunk.text for chunk in now.content.chunks])
        _counts.put(now.collection_id, known)
    return known


def _say(now: Current, asked: Asked, results: Mapping[Way, Found]) -> None:
    """The question, the filter, and one sentence that reads the lists."""
    st.caption(asking.in_words(asked, results["vector"]))
    by_vector, by_text = results["vector"].hits, results["text"].hits
    if not by_vector:
        st.info(_("No chunk passes the filter."))
        return
    first = now.content.chunks[by_vector[0].number]
    words = [_("First by meaning: {chunk}.").format(chunk=strong(_place(first)))]
    if not by_text:
        words.append(
            _("By words nothing is found: no chunk shares a piece of 2 characters with the question.")
        )
    elif by_text[0].number == by_vector[0].number:
        words.append(_("By words it is the same one."))
    else:
        at = next((rank for rank, hit in enumerate(by_text, 1) if hit.number == by_vector[0].number), None)
        other = strong(_place(now.content.chunks[by_text[0].number]))
        told = (
            _("First by words: {chunk}; there the other one is number {rank}.")
            if at
            else _("First by words: {chunk}; the other one is not in that list.")
        )
        words.append(told.format(chunk=other, rank=at))
    both = {hit.number for hit in by_vector} & {hit.number for hit in by_text}
    words.append(_("The two lists share {n} of {k} chunks.").format(n=len(both), k=len(by_vector)))
    st.markdown(" ".join(words))


# ---- the map


def _selected(now: Current) -> int | None:
    number = st.session_state.get(SELECTED)
    return number if isinstance(number, int) and 0 <= number < now.info.n_chunks else None


def _select(number: int | None) -> None:
    st.session_state[SELECTED] = number


def _select_on_map() -> None:
    sent = st.session_state.get(MAP) or {}
    number = sent.get("selected")
    _select(number if isinstance(number, int) and not isinstance(number, bool) else None)


def _map(now: Current, results: Mapping[Way, Found], selected: int | None) -> None:
    known = _planes.get(now.collection_id)
    if known is None:
        known = plane(now.content.vectors)
        _planes.put(now.collection_id, known)
    query = results["vector"].query_vector
    assert query is not None
    vectors = now.content.vectors
    points = known.place(vectors).tolist() + known.place(query[None]).tolist()
    names = [_short(one.name, _NAME_CHARS) for one in now.documents]
    near = [hit.number for hit in results["vector"].hits]
    if selected is not None:
        near = [
            row for row, _cosine in core.closest(vectors, vectors[selected], N_NEIGHBOURS, without=selected)
        ]
    vector_map(
        key=MAP,
        points=np.array(points),
        labels=[
            *(_short(f"{_place(chunk)}: {chunk.text}", _LABEL_CHARS) for chunk in now.content.chunks),
            _("the question"),
        ],
        groups=[*(chunk.document for chunk in now.content.chunks), len(names)],
        names=[*names, _("the question")],
        selected=selected if selected is not None else now.info.n_chunks,
        near=near,
        on_select=_select_on_map,
        are_numbered=False,
    )
    share = float(known.explained.sum())
    told = _(
        "The map keeps {share:.1%} of the variance of {d} dimensions. Distances in the lists are those of "
        "the full space: what is close on the map is not always close."
    )
    st.caption(told.format(share=share, d=now.info.d_vector))
    if selected is not None:
        _neighbours(now, selected)


def _neighbours(now: Current, selected: int) -> None:
    chunks, vectors = now.content.chunks, now.content.vectors
    st.markdown(_("Nearest to: {text}").format(text=strong(_place(chunks[selected]))))
    near = core.closest(vectors, vectors[selected], N_NEIGHBOURS, without=selected)
    rows = [
        {_("Cosine"): f"{cosine:.3f}", _("Where"): _place(chunks[row]), _("Chunk"): chunks[row].text}
        for row, cosine in near
    ]
    st.dataframe(rows, hide_index=True)


def _short(text: str, n: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= n else one_line[: n - 1] + "…"


# ---- below the picture


def _facts(chunk: Chunk) -> dict[str, object]:
    return {
        "document": chunk.source, "place": chunk.place + 1, "page": chunk.page or None,
        "language": chunk.language, "date": chunk.date, "text": chunk.text,
    }  # fmt: skip


def _provenance(now: Current, results: Mapping[Way, Found]) -> None:
    took = sum(one.search_s for one in results.values())
    words = [
        now.model,
        "LanceDB",
        ngettext("{n:,} chunk", "{n:,} chunks", now.info.n_chunks).format(n=now.info.n_chunks),
        _("exact search, no index"),
        _("three searches {ms:.0f} ms").format(ms=1e3 * took),
    ]
    st.caption(plain(" · ".join(words)))


def _code(now: Current, asked: Asked) -> str:
    base = AdapterName.of(now.model).base_id
    info = next(one for one in compute.models() if one.model_id == base)
    where = asked.where
    return show.code(
        "retrieval",
        folder=show.model_folder(now.model),
        chunks=[chunk.text for chunk in now.content.chunks],
        sources=[chunk.source for chunk in now.content.chunks],
        languages=[chunk.language for chunk in now.content.chunks],
        dates=[chunk.date for chunk in now.content.chunks],
        question=asked.question,
        metric=asked.metric,
        n=asked.n,
        only_sources=list(where.sources),
        only_languages=list(where.languages),
        first_date=where.first_date,
        last_date=where.last_date,
        max_tokens=min(filter(None, (info.max_seq_length, info.n_ctx, state.settings().max_tokens))),
        before_text=info.prefixes.text,
        before_query=info.prefixes.query,
    )
