"""The database against brute force: exact search, filter, BM25, and their fusion."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.engine.contract.retrieval import METRICS, N_FUSED, Chunk, ChunkFilter, Metric
from playground.engine.retrieval.store import ChunkStore, where_of
from playground.errors import BadValue

NAMES = (
    "handbook.md",
    "it's mine.pdf",
    "' OR 1=1 --",
    'a"b',
    "back\\slash",
    "한글 문서.txt",
    "line\nbreak",
    "x' OR source LIKE '%",
)
WORDS = [
    "서울은",
    "한국의",
    "수도입니다",
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "Seoul",
    "is",
    "a",
    "capital",
    "and",
    "고양이가",
    "매트에",
    "앉았다",
    "ABC-12",
    "café",
]
D = 16


def chunks(n: int) -> tuple[Chunk, ...]:
    draw = np.random.default_rng(3)
    made = []
    for number in range(n):
        text = " ".join(draw.choice(WORDS, size=draw.integers(3, 20)))
        made.append(
            Chunk(
                number=number, source=NAMES[number % len(NAMES)], document=0, place=number, start=0, end=9,
                page=0, language=("en", "ko", "")[number % 3], text=text, n_tokens=9, is_cut=False,
                date="" if number % 5 == 0 else f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
            )
        )  # fmt: skip
    return tuple(made)


CHUNKS = chunks(500)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled.astype(np.float32)


VECTORS = unit(np.random.default_rng(1).normal(size=(len(CHUNKS), D)))
QUERY = unit(np.random.default_rng(2).normal(size=D))


@pytest.fixture(scope="module")
def store() -> ChunkStore:
    return ChunkStore(CHUNKS, VECTORS)


# ---- by hand


def similarity(metric: Metric) -> NDArray[np.float64]:
    if metric == "l2":
        return np.linalg.norm(VECTORS - QUERY, axis=1).astype(np.float64)
    return (VECTORS @ QUERY).astype(np.float64)


def pieces(text: str) -> list[str]:
    text = text.lower()
    return [text[at : at + n] for n in (2, 3) for at in range(len(text) - n + 1)]


def bm25(query: str, k1: float = 1.2, b: float = 0.75) -> dict[int, float]:
    """Robertson & Zaragoza 2009, with an idf that is never negative; each piece of the query counts once."""
    documents = [Counter(pieces(chunk.text)) for chunk in CHUNKS]
    lengths = [sum(counts.values()) for counts in documents]
    mean, n = sum(lengths) / len(lengths), len(documents)
    scores: dict[int, float] = {}
    for piece in set(pieces(query)):
        df = sum(piece in counts for counts in documents)
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        for number, counts in enumerate(documents):
            if tf := counts[piece]:
                norm = tf + k1 * (1 - b + b * lengths[number] / mean)
                scores[number] = scores.get(number, 0.0) + idf * tf * (k1 + 1) / norm
    return scores


def passes(chunk: Chunk, where: ChunkFilter) -> bool:
    return (
        (not where.sources or chunk.source in where.sources)
        and (not where.languages or chunk.language in where.languages)
        and (not where.first_date or (chunk.date >= where.first_date != "" and chunk.date != ""))
        and (not where.last_date or ("" < chunk.date <= where.last_date))
    )


FILTERS = (
    ChunkFilter(),
    ChunkFilter(sources=("it's mine.pdf",)),
    ChunkFilter(sources=NAMES[2:4], languages=("ko", "en")),
    ChunkFilter(languages=("",), first_date="2026-03-01"),
    ChunkFilter(first_date="2026-03-01", last_date="2026-06-15"),
    ChunkFilter(sources=("no such document",)),
)


# ---- the database


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("where", FILTERS)
def test_a_vector_search_is_exact_under_every_filter(
    store: ChunkStore, metric: Metric, where: ChunkFilter
) -> None:
    hits = store.by_vector(QUERY, metric, 20, where_of(where))
    values = similarity(metric)
    wanted = [chunk.number for chunk in CHUNKS if passes(chunk, where)]
    wanted.sort(key=lambda number: values[number] * (1 if metric == "l2" else -1))
    assert [hit.number for hit in hits] == wanted[:20]
    np.testing.assert_allclose([hit.value for hit in hits], values[wanted[:20]], atol=1e-5)


@pytest.mark.parametrize("query", ["서울", "Seoul capital", "the THE the", "고양이", "café", "-12 \"a' +b:("])
@pytest.mark.parametrize("where", FILTERS[:3])
def test_a_text_search_gives_the_bm25_scores_of_the_formula(
    store: ChunkStore, query: str, where: ChunkFilter
) -> None:
    """The filter takes chunks out; it does not change how rare a piece is."""
    hits = store.by_text(query, 500, where_of(where))
    scores = {number: one for number, one in bm25(query).items() if passes(CHUNKS[number], where)}
    assert {hit.number for hit in hits} == scores.keys()
    np.testing.assert_allclose([hit.value for hit in hits], [scores[hit.number] for hit in hits], rtol=1e-4)
    values = [hit.value for hit in hits]
    assert values == sorted(values, reverse=True)


def test_korean_is_found_inside_a_word_with_its_particle(store: ChunkStore) -> None:
    found = store.by_text("수도", 500, None)
    assert {hit.number for hit in found} == {c.number for c in CHUNKS if "수도" in c.text}


@pytest.mark.parametrize("where", FILTERS[:4])
def test_a_hybrid_search_is_the_sum_of_reciprocal_ranks(store: ChunkStore, where: ChunkFilter) -> None:
    sql = where_of(where)
    lists = [store.by_vector(QUERY, "cosine", N_FUSED, sql), store.by_text("서울 capital", N_FUSED, sql)]
    ranks = [{hit.number: rank for rank, hit in enumerate(one, 1)} for one in lists]
    scores = {
        number: sum(1 / (60 + one[number]) for one in ranks if number in one)
        for number in ranks[0].keys() | ranks[1].keys()
    }
    hits = store.hybrid(QUERY, "cosine", "서울 capital", 30, sql)
    best = sorted(scores.values(), reverse=True)[:30]
    np.testing.assert_allclose([hit.value for hit in hits], best, rtol=1e-5)
    for hit in hits:
        assert hit.value == pytest.approx(scores[hit.number], rel=1e-5)
        assert (hit.vector_rank, hit.text_rank) == tuple(one.get(hit.number, 0) for one in ranks)


def test_the_hybrid_search_is_the_databases_own(store: ChunkStore) -> None:
    from lancedb.rerankers import RRFReranker

    query = store._table.search(query_type="hybrid", vector_column_name="vector", fts_columns="text")
    query = query.vector(QUERY).text("Seoul capital").distance_type("cosine").limit(N_FUSED)
    rows = query.rerank(RRFReranker(60)).to_arrow()
    hits = store.hybrid(QUERY, "cosine", "Seoul capital", N_FUSED, None)
    np.testing.assert_allclose([hit.value for hit in hits], rows["_relevance_score"].to_pylist(), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_document_becomes_a_part_of_the_filter(store: ChunkStore, name: str) -> None:
    hits = store.by_vector(QUERY, "cosine", 500, where_of(ChunkFilter(sources=(name,))))
    assert {hit.number for hit in hits} == {c.number for c in CHUNKS if c.source == name}


def test_what_a_filter_says_is_its_sql() -> None:
    where = where_of(ChunkFilter(sources=("it's",), languages=("ko",), first_date="2026-01-02"))
    assert where is not None
    for part in ("'it''s'", "'ko'", "'2026-01-02'", "AND"):
        assert part in where.sql
    with pytest.raises(BadValue, match="date"):
        where_of(ChunkFilter(first_date="' OR 1=1"))


def test_queries_without_a_piece_find_nothing(store: ChunkStore) -> None:
    for query in ("x", "\x00", "zzqq"):
        assert store.by_text(query, 5, None) == ()
        assert len(store.hybrid(QUERY, "cosine", query, 5, None)) == 5


def test_chunks_shorter_than_a_piece_and_a_single_chunk_can_be_stored() -> None:
    one = ChunkStore([replace(CHUNKS[0], text="x")], VECTORS[:1])
    assert [hit.number for hit in one.by_vector(QUERY, "cosine", 5, None)] == [0]
    assert one.by_text("x", 5, None) == ()


def test_two_stores_share_nothing() -> None:
    mine, other = (ChunkStore([replace(CHUNKS[0], text=text)], VECTORS[:1]) for text in ("mine", "other"))
    assert mine.by_text("other", 5, None) == () == other.by_text("mine", 5, None)
    assert len(mine.by_text("mine", 5, None)) == len(other.by_text("other", 5, None)) == 1
