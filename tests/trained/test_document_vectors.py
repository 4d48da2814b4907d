"""The shipped vectors of documents: every chunk and question has one, and it is the encoder's own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from playground.core import shipped_documents as shipped
from playground.core.chunks import Chunking, boundaries, cut
from playground.engine.contract.retrieval import (
    BUILD_ENDED,
    BuildRequest,
    CutDocument,
    Document,
    EncodeRequest,
    SearchRequest,
    Way,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.models import whole_folder
from playground.engine.models.catalogue import model_folder
from playground.engine.models.shipped import trained_assets
from playground.engine.retrieval import known
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained import document_vectors as script
from playground.trained.scripts import SCRIPTS

FOLDER = trained_assets() / known.FOLDER
MAX_BYTES = 10**6


def test_every_byte_is_in_the_note_and_every_text_has_a_vector() -> None:
    said = json.loads((FOLDER / whole_folder.METADATA).read_text("utf-8"))
    assert whole_folder.damage(FOLDER) == ""
    assert {path.name for path in FOLDER.iterdir()} == {known.WEIGHTS, whole_folder.METADATA}
    assert (FOLDER / known.WEIGHTS).stat().st_size <= MAX_BYTES
    assert FOLDER.name in SCRIPTS
    found, texts = known.KnownVectors(0), set(script.texts())
    assert said["figures"]["n_texts"] == len(texts)
    assert [text for text in texts if found.get(MULTILINGUAL_ENCODER, text) is None] == []


@pytest.mark.real
def test_the_script_gives_the_shipped_vectors_again(with_e5: Settings) -> None:
    texts = sorted(script.texts(), key=len)[::40]
    read = script.read(texts, lambda _line: None)
    for text, one in read.items():
        kept = known.KnownVectors(0).get(MULTILINGUAL_ENCODER, text)
        assert kept is not None
        assert (kept.n_tokens, kept.is_cut) == (one.n_tokens, one.is_cut)
        assert float(kept.vector @ one.vector) > 0.999999
        np.testing.assert_allclose(kept.vector, one.vector, atol=2e-4)
    metadata = whole_folder.origin(model_folder(MULTILINGUAL_ENCODER, with_e5))
    assert metadata.get("revision")


@pytest.fixture(scope="module")
def engine(with_e5: Settings) -> Iterator[LocalEngine]:
    made = LocalEngine(with_e5)
    yield made
    made.close()


def collection(engine: LocalEngine) -> str:
    """All shipped documents, as the page cuts them at first."""
    documents = tuple(
        CutDocument(
            Document(shipped.document(name, code).title, shipped.document(name, code).text, code),
            cut(boundaries(shipped.document(name, code).text), Chunking()),
        )
        for code in shipped.languages()
        for name in shipped.names()
    )
    build_id = engine.retrieval.build(
        BuildRequest(MULTILINGUAL_ENCODER, documents, is_shared=True, owner="reader")
    )
    while True:
        state = engine.retrieval.state(build_id, "reader")
        assert state is not None
        if state.status in BUILD_ENDED:
            assert state.n_known == state.n_chunks
            return state.collection_id


def mean_reciprocal_rank(engine: LocalEngine, collection_id: str, language: str, way: Way) -> float:
    """Over the questions in a language that one chunk answers whole."""
    chunks = engine.retrieval.content(collection_id, "reader").chunks
    values = []
    for name in shipped.names():
        for one in shipped.questions(name, language):
            if not any(one.held_by(chunk.text) for chunk in chunks):
                continue
            asked = SearchRequest(MULTILINGUAL_ENCODER, collection_id, one.text, way, n=20, owner="reader")
            hits = engine.retrieval.search(asked).hits
            ranks = [rank for rank, hit in enumerate(hits, 1) if one.held_by(chunks[hit.number].text)]
            values.append(1 / ranks[0] if ranks else 0.0)
    assert len(values) > 80
    return sum(values) / len(values)


@pytest.mark.real
def test_the_first_search_needs_no_model_and_the_lesson_is_right_about_hybrid(engine: LocalEngine) -> None:
    """The lesson: hybrid is better than vectors alone in Korean, and worse in English."""
    found = collection(engine)
    scores = {
        (code, way): mean_reciprocal_rank(engine, found, code, way)
        for code in ("en", "ko")
        for way in ("vector", "hybrid")
    }
    assert engine.stats().n_forwards == 0
    assert {info.state for info in engine.models() if info.model_id == MULTILINGUAL_ENCODER} == {"waiting"}
    assert scores["ko", "hybrid"] > scores["ko", "vector"]
    assert scores["en", "hybrid"] < scores["en", "vector"]
    assert min(scores.values()) > 0.5


@pytest.mark.real
def test_the_engine_reads_as_the_script_does(engine: LocalEngine) -> None:
    text = "The ferry sails at 7:40. 배는 7시 40분에 떠난다."
    (vector,) = engine.retrieval.encode(EncodeRequest(MULTILINGUAL_ENCODER, (text,)))
    (read,) = script.read([f"passage: {text}"], lambda _line: None).values()
    np.testing.assert_allclose(vector, read.vector, atol=1e-5)
