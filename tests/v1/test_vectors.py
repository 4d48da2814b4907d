"""Embeddings: the vectors of the page, as numbers and packed."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local.engine import LocalEngine
from tests import tiny
from tests.v1.conftest import Served

TEXTS = ["the cat sat", "서울", "the cat sat"]


def of_the_page(engine: LocalEngine, texts: list[str]) -> np.ndarray:
    """As `ui/embeddings/reading.py` asks."""
    info = next(one for one in engine.models() if one.model_id == tiny.BERT)
    request = TracesRequest(tiny.BERT, tuple(texts), (info.n_layer,), info.max_seq_length)
    found = {at: one for at, one in engine.vectors.traces(request) if isinstance(one, Trace)}
    return np.stack([sentence_vector(found[at]) for at in range(len(texts))])


@pytest.mark.parametrize("form", ["float", "base64"])
def test_vectors_are_those_of_the_page(served: Served, local: LocalEngine, form: str) -> None:
    found = served.client().embeddings.create(model=tiny.BERT, input=TEXTS, encoding_format=form)  # type: ignore[arg-type]
    vectors = np.array(
        [
            np.frombuffer(base64.b64decode(one.embedding), "<f4") if form == "base64" else one.embedding
            for one in found.data
        ]
    )
    np.testing.assert_allclose(vectors, of_the_page(local, TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert [one.index for one in found.data] == [0, 1, 2]


def test_the_client_unpacks_by_itself_and_one_text_is_a_list_of_one(
    served: Served, local: LocalEngine
) -> None:
    found = served.client().embeddings.create(model=tiny.BERT, input=TEXTS[0])
    np.testing.assert_allclose([found.data[0].embedding], of_the_page(local, TEXTS[:1]), atol=1e-6)
    assert found.usage.prompt_tokens == found.usage.total_tokens > 0


def test_token_ids_are_read_as_they_are(served: Served, local: LocalEngine) -> None:
    cut = [
        list(local.tokenizers.tokenize(tiny.BERT, text, add_special_tokens=True).input_ids) for text in TEXTS
    ]
    several = served.client().embeddings.create(model=tiny.BERT, input=cut * 7)
    assert len(several.data) == 21
    np.testing.assert_allclose(
        [one.embedding for one in several.data[:3]], of_the_page(local, TEXTS), atol=1e-5
    )
    info = next(one for one in local.models() if one.model_id == tiny.BERT)
    layer = Capture(hidden_states=(info.n_layer,))
    trace = local.trace(TraceRequest(tiny.BERT, input_ids=tuple(cut[0]), capture=layer))
    alone = served.client().embeddings.create(model=tiny.BERT, input=cut[0])
    np.testing.assert_allclose(alone.data[0].embedding, sentence_vector(trace), atol=1e-6)
