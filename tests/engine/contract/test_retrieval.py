"""Collections through the contract: built in the background, searched, and seen by their session alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.engine import Engine
from playground.engine.contract.retrieval import (
    METRICS,
    WAYS,
    ChunkFilter,
    CutDocument,
    Document,
    EncodeRequest,
    SearchRequest,
    Way,
)
from playground.engine.contract.vectors import TracesRequest
from playground.errors import (
    BadValue,
    CollectionGone,
    EmptyText,
    InputError,
    TextTooLong,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.collections_built import ENGLISH, KOREAN, built, document, request, until_ended


@pytest.fixture(scope="module")
def mine(engine: Engine) -> str:
    dated = document("한국.txt", KOREAN, language="ko", dates=((0, "2026-05-01"),))
    return built(engine, request("me", document("england.md", ENGLISH, language="en"), dated))


def search(collection: str, query: str = "cat", owner: str = "me", way: Way = "vector") -> SearchRequest:
    return SearchRequest(tiny.BERT, collection, query, way, owner=owner)


# ---- what is in a collection


def test_chunks_say_where_they_come_from_and_their_text_is_there(engine: Engine, mine: str) -> None:
    content, texts = engine.retrieval.content(mine, "me"), (ENGLISH, KOREAN)
    assert [chunk.number for chunk in content.chunks] == list(range(len(content.chunks)))
    for chunk in content.chunks:
        assert texts[chunk.document][chunk.start : chunk.end] == chunk.text
        assert chunk.language == ("en", "ko")[chunk.document]
    info = engine.retrieval.info(mine, "me")
    assert [one.n_chunks for one in info.documents] == [
        sum(chunk.document == at for chunk in content.chunks) for at in (0, 1)
    ]
    assert (info.n_chunks, info.d_vector) == content.vectors.shape
    assert not content.vectors.flags.writeable


def test_a_vector_is_that_of_the_text_read_alone(engine: Engine, mine: str) -> None:
    content = engine.retrieval.content(mine, "me")
    asked = TracesRequest(tiny.BERT, tuple(chunk.text for chunk in content.chunks), "all")
    for place, read in engine.vectors.traces(asked):
        assert isinstance(read, Trace)
        np.testing.assert_allclose(content.vectors[place], sentence_vector(read), atol=1e-5)
        assert content.chunks[place].n_tokens == len(read.input_ids)


def test_a_chunk_begins_on_its_page(engine: Engine) -> None:
    text = "First page text here.\n\nSecond page text here."
    paged = CutDocument(Document("a.pdf", text, page_starts=(0, 23)), ((0, 23), (16, 30), (23, len(text))))
    found = engine.retrieval.content(built(engine, request("paged", paged)), "paged")
    assert [chunk.page for chunk in found.chunks] == [1, 1, 2]


def test_a_chunk_has_the_day_of_the_part_it_begins_in(engine: Engine) -> None:
    text = "Undated text. First part here. Second part here."
    spans = ((0, 14), (14, 31), (20, 40), (31, len(text)))
    dated = CutDocument(Document("a", text, dates=((14, "2026-01-01"), (31, "2025-01-01"))), spans)
    found = engine.retrieval.content(built(engine, request("dated", dated)), "dated")
    assert [chunk.date for chunk in found.chunks] == ["", "2026-01-01", "2026-01-01", "2025-01-01"]


def test_a_chunk_longer_than_the_window_is_said_to_be_cut(engine: Engine) -> None:
    found = engine.retrieval.content(
        built(engine, request("long", document("a", "the cat sat " * 200, 2_000), document("b", "the cat"))),
        "long",
    )
    assert [(chunk.is_cut, chunk.n_tokens) for chunk in found.chunks[:1]] == [(True, tiny.N_CTX)]
    assert not found.chunks[-1].is_cut


# ---- search


@pytest.mark.parametrize("metric", METRICS)
def test_a_search_by_vector_is_that_of_numpy(engine: Engine, mine: str, metric: str) -> None:
    content = engine.retrieval.content(mine, "me")
    found = engine.retrieval.search(replace(search(mine), metric=metric, n=10))
    (vector,) = engine.retrieval.encode(EncodeRequest(tiny.BERT, ("cat",), are_queries=True))
    np.testing.assert_array_equal(found.query_vector, vector)
    values: NDArray[np.float32] = (
        np.linalg.norm(content.vectors - vector, axis=1) if metric == "l2" else content.vectors @ vector
    )
    best = np.sort(values) if metric == "l2" else np.sort(values)[::-1]
    np.testing.assert_allclose([hit.value for hit in found.hits], best[:10], atol=1e-5)
    np.testing.assert_allclose([values[hit.number] for hit in found.hits], best[:10], atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_to_the_filter(engine: Engine, mine: str, way: Way) -> None:
    chunks = engine.retrieval.content(mine, "me").chunks
    for where in (
        ChunkFilter(sources=("england.md",)),
        ChunkFilter(languages=("en",)),
        ChunkFilter(last_date="2026-05-01"),
    ):
        found = engine.retrieval.search(replace(search(mine, "the 서울", way=way), where=where, n=20))
        wanted = "한국.txt" if where.last_date else "england.md"
        assert found.hits
        assert {chunks[hit.number].source for hit in found.hits} == {wanted}
        assert found.sql


def test_queries_and_settings_that_cannot_be_are_refused(
    engine: Engine, mine: str, tiny_settings: Settings
) -> None:
    refused: dict[type[InputError], list[SearchRequest]] = {
        EmptyText: [search(mine, ""), search(mine, " \n ")],
        TextTooLong: [search(mine, "a" * (tiny_settings.max_text_chars + 1))],
        BadValue: [
            replace(search(mine), n=0),
            replace(search(mine), n=10**6),
            replace(search(mine), way="sideways"),
            replace(search(mine), metric="taxi"),
            replace(search(mine), where=ChunkFilter(first_date="yesterday")),
        ],
        CollectionGone: [search("nothing"), search("")],
    }
    for kind, requests in refused.items():
        for one in requests:
            with pytest.raises(kind):
                engine.retrieval.search(one)


# ---- sessions


def test_two_sessions_never_see_one_anothers_documents(engine: Engine, mine: str) -> None:
    theirs = built(engine, request("other", document("secret.txt", "The secret word is mat. " * 4)))
    for owner, foreign in (("me", theirs), ("other", mine), ("", mine), ("nobody", theirs)):
        for call in (engine.retrieval.content, engine.retrieval.info):
            with pytest.raises(CollectionGone):
                call(foreign, owner)
        with pytest.raises(CollectionGone):
            engine.retrieval.search(search(foreign, owner=owner))
        engine.retrieval.remove(foreign, owner)
    assert [one.collection_id for one in engine.retrieval.of("other")] == [theirs]
    for way in WAYS:
        found = engine.retrieval.search(replace(search(mine, "secret word", way=way), n=50))
        texts = [engine.retrieval.content(mine, "me").chunks[hit.number].text for hit in found.hits]
        assert not any("secret" in text for text in texts)


def test_the_state_of_a_build_is_its_sessions_alone(engine: Engine) -> None:
    asked = request("builder", document("a", ENGLISH))
    build_id = engine.retrieval.build(asked)
    assert engine.retrieval.state(build_id, "other") is None
    engine.retrieval.stop(build_id, "other")
    assert until_ended(engine, build_id, "builder").status == "done"


def test_a_new_collection_takes_the_place_of_the_old_one(engine: Engine) -> None:
    first = built(engine, request("changer", document("a", ENGLISH)))
    second = built(engine, request("changer", document("a", ENGLISH, 80), replaces=first))
    assert [one.collection_id for one in engine.retrieval.of("changer")] == [second]
    with pytest.raises(CollectionGone):
        engine.retrieval.info(first, "changer")


def test_what_is_shared_is_built_once_and_searched_by_all(engine: Engine) -> None:
    shared = [
        built(engine, request(owner, document("ours.md", ENGLISH), is_shared=True)) for owner in ("a1", "b1")
    ]
    assert shared[0] == shared[1]
    assert engine.retrieval.of("a1") == [] == engine.retrieval.of("b1")
    assert engine.retrieval.info(shared[0], "c1").is_shared
    assert engine.retrieval.search(search(shared[0], owner="d1")).hits
    engine.retrieval.remove(shared[0], "a1")
    assert engine.retrieval.info(shared[0], "b1")
