"""Builds of collections through the contract: bounded, stopped, fair, gone with their session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from playground.engine.contract.engine import Engine
from playground.engine.contract.retrieval import BUILD_ENDED, BuildRequest, CutDocument, Document
from playground.errors import (
    BadValue,
    CollectionGone,
    EmptyText,
    ModelNotFound,
    NoRoom,
    TextTooLong,
    TooManyChunks,
    TooManyDocuments,
)
from playground.settings import Settings
from tests.engine.collections_built import ENGLISH, built, document, request, until_ended

MakeEngine = Callable[[Settings], Engine]


def test_documents_end_with_their_session(make_engine: MakeEngine, tiny_settings: Settings) -> None:
    engine = make_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.2}))
    try:
        collection = built(engine, request("leaver", document("a", ENGLISH)))
        kept = built(engine, request("stayer", document("a", ENGLISH)))
        engine.cancel_owner("leaver")
        until = time.monotonic() + 300
        while engine.retrieval.of("leaver"):
            assert time.monotonic() < until
            time.sleep(0.05)
        with pytest.raises(CollectionGone):
            engine.retrieval.info(collection, "leaver")
        assert engine.retrieval.info(kept, "stayer")
    finally:
        engine.close()


def test_collections_that_cannot_be_are_refused(engine: Engine, tiny_settings: Settings) -> None:
    limits = tiny_settings
    whole = "a " * limits.max_chunks * 2
    refused: dict[type[Exception], BuildRequest] = {
        TooManyDocuments: request("x", *[document("a", "text")] * (limits.max_documents + 1)),
        TooManyChunks: request("x", document("a", whole, 1)),
        TextTooLong: request(
            "x", CutDocument(Document("a", "a" * (limits.max_document_chars + 1)), ((0, 9),))
        ),
        EmptyText: request("x", CutDocument(Document("a", "   "), ((0, 3),))),
        BadValue: request("x", CutDocument(Document("a", "text"), ((0, 5),))),
    }
    for kind, one in refused.items():
        with pytest.raises(kind):
            engine.retrieval.build(one)
    for bad in (request("x"), request("x", CutDocument(Document("a", ""), ()))):
        with pytest.raises(EmptyText):
            engine.retrieval.build(bad)
    with pytest.raises(BadValue, match="date"):
        engine.retrieval.build(request("x", document("a", "text", dates=((0, "May"),))))
    with pytest.raises(ModelNotFound):
        engine.retrieval.build(replace(request("x", document("a", "text")), model="no/model"))


def test_a_full_server_says_so_before_anything_is_embedded(
    make_engine: MakeEngine, tiny_settings: Settings
) -> None:
    engine = make_engine(tiny_settings.model_copy(update={"max_collection_bytes": 20_000}))
    try:
        with pytest.raises(NoRoom):
            engine.retrieval.build(request("x", document("a", ENGLISH, 10)))
        assert engine.stats().n_forwards == 0
    finally:
        engine.close()


def numbered(n: int, salt: str = "") -> CutDocument:
    """A document of n chunks that no other has."""
    return document(f"{n}", " ".join(f"cat {salt}{i} mat " * 3 for i in range(n)), 30)


def test_a_build_is_stopped_within_a_batch_and_goes_on_where_it_was(
    make_engine: MakeEngine, tiny_settings: Settings
) -> None:
    engine = make_engine(tiny_settings.model_copy(update={"prefill_chunk_tokens": 32}))
    try:
        asked = request("s", numbered(150))
        build_id = engine.retrieval.build(asked)
        while (state := engine.retrieval.state(build_id, "s")) and not state.n_done >= 5:
            assert state.status not in BUILD_ENDED, state
            time.sleep(0.001)
        engine.retrieval.stop(build_id, "s")
        stopped = until_ended(engine, build_id, "s")
        assert stopped.status == "stopped"
        assert 0 < stopped.n_done < stopped.n_chunks
        assert engine.retrieval.of("s") == []
        time.sleep(0.1)
        before = engine.stats().n_forwards
        time.sleep(0.2)
        assert engine.stats().n_forwards == before
        again = until_ended(engine, engine.retrieval.build(replace(asked, request_id="again")), "s")
        assert again.status == "done"
        assert again.n_known >= stopped.n_done
    finally:
        engine.close()


def test_a_build_ends_with_its_session_and_by_a_newer_one(
    make_engine: MakeEngine, tiny_settings: Settings
) -> None:
    engine = make_engine(tiny_settings.model_copy(update={"prefill_chunk_tokens": 32}))
    try:
        first = engine.retrieval.build(request("s", numbered(200)))
        second = engine.retrieval.build(request("s", numbered(201)))
        assert until_ended(engine, first, "s").status == "stopped"
        while (state := engine.retrieval.state(second, "s")) and state.status == "waiting":
            time.sleep(0.001)
        engine.cancel_owner("s")
        assert until_ended(engine, second, "s").status == "stopped"
    finally:
        engine.close()
