"""Quantized copies, through the contract: what comes back, shared by equal requests, and refusals."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from playground.core.quantization import Scheme, quantize, relative_error, stored_bits
from playground.engine.contract.engine import Engine
from playground.engine.contract.quantization import QuantizedModel, QuantizeRequest, Quantizing
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import (
    BadValue,
    EmptyText,
    PassageTooShort,
    PlaygroundError,
    TextTooLong,
)
from tests.tiny import BERT, GPT2, LLAMA, T5

PASSAGE = "The quick brown fox jumps over the lazy dog. " * 3
FOUR = Scheme(4, "channel")


def asked(engine: Engine, request: QuantizeRequest) -> QuantizedModel:
    *progress, last = engine.quantization.quantize(request)
    assert all(isinstance(one, Quantizing) for one in progress)
    shares = [one.share for one in progress if isinstance(one, Quantizing)]
    assert shares == sorted(shares)
    assert all(0 < one <= 1 for one in shares)
    assert isinstance(last, QuantizedModel)
    return last


@pytest.mark.parametrize("model", [LLAMA, GPT2])
def test_a_decoder_answers_before_and_after(engine: Engine, model: str) -> None:
    found = asked(engine, QuantizeRequest(model, "The capital", passage=PASSAGE, scheme=FOUR))
    trace = engine.trace(TraceRequest(model, "The capital", Capture(logits="last", hidden_states="all")))
    assert trace.logits is not None
    assert found.logits is not None
    np.testing.assert_allclose(found.logits[0], trace.logits[0], atol=1e-4)
    assert np.abs(found.logits[1] - found.logits[0]).max() > 1e-4
    assert trace.hidden_states is not None
    assert found.moved.shape == (len(trace.hidden_states),)
    assert found.moved[0] == 0  # the table of embeddings is not quantized
    assert (found.moved[1:] > 0).all()
    assert found.logprobs.shape == (2, len(found.passage_ids) - 1)
    ids = found.passage_ids
    tail = engine.trace(TraceRequest(model, input_ids=ids[:-1], capture=Capture(logits="last")))
    assert tail.logits is not None
    nats = tail.logits[0] - np.logaddexp.reduce(tail.logits[0])
    assert found.logprobs[0, -1] == pytest.approx(nats[ids[-1]], abs=1e-4)


def test_the_passage_is_scored_as_score_does(engine: Engine) -> None:
    found = asked(engine, QuantizeRequest(LLAMA, "The capital", passage=PASSAGE, scheme=FOUR))
    ids = found.passage_ids
    for place in (1, 5, len(ids) - 1):
        request = TraceRequest(LLAMA, input_ids=ids[:place], capture=Capture(logits="last"))
        logits = engine.trace(request).logits
        assert logits is not None
        nats = logits[0] - np.logaddexp.reduce(logits[0])
        assert found.logprobs[0, place - 1] == pytest.approx(nats[ids[place]], abs=1e-4)
    assert engine.score(ScoreRequest(LLAMA, ("a",), (("b",),)))  # and the engine goes on


@pytest.mark.parametrize("model", [LLAMA, GPT2, BERT, T5])
@pytest.mark.parametrize("whole", [False, True])
def test_errors_and_bytes_are_those_of_the_matrices(engine: Engine, model: str, whole: bool) -> None:
    scheme = Scheme(3, "group", 32, is_symmetric=False, outliers=0.01)
    found = asked(engine, QuantizeRequest(model, "The capital", scheme=scheme, whole=whole))
    listed = engine.quantization.matrices(model, whole)
    assert tuple(one.matrix for one in found.matrices) == listed
    assert found.n_weights == sum(one.shape[0] * one.shape[1] for one in listed)
    assert any(one.layer is None for one in listed) == whole
    for one in found.matrices:
        own = engine.quantization.weights(model, one.matrix.name)
        assert own.weights.shape == own.matrix.shape == one.matrix.shape
        assert one.error == pytest.approx(
            relative_error(own.weights, quantize(own.weights, scheme).weights()), rel=1e-6
        )
        assert one.n_bits == stored_bits(one.matrix.shape, scheme)
    saved = 4 * found.n_weights - sum(-(-one.n_bits // 8) for one in found.matrices)
    assert found.bytes_after == found.bytes_before - saved
    n_parameters = sum(one.n_parameters for one in engine.inside.parts(model))
    assert found.bytes_before == 4 * n_parameters


def test_an_encoder_tells_how_far_its_states_move(engine: Engine) -> None:
    found = asked(engine, QuantizeRequest(BERT, "The capital", passage=PASSAGE, scheme=FOUR))
    assert found.logits is None
    assert (found.passage_ids, found.logprobs.size) == ((), 0)
    assert found.moved.max() > 0
    both = asked(engine, QuantizeRequest(T5, "The capital", scheme=FOUR))
    assert both.logits is not None
    assert both.moved_target is not None
    assert both.moved_target.max() > 0
    assert any(one.matrix.is_target for one in both.matrices)


def test_the_shared_model_answers_as_before(engine: Engine) -> None:
    request = TraceRequest(LLAMA, "A sentence that nobody else reads", Capture(logits="last"))
    before = engine.trace(request).logits
    asked(engine, QuantizeRequest(LLAMA, "The capital", scheme=Scheme(2, "tensor"), whole=True))
    again = engine.trace(replace(request, text=request.text, capture=Capture(logits="all"))).logits
    assert before is not None
    assert again is not None
    np.testing.assert_allclose(again[-1], before[0], atol=1e-5)


def test_thirty_equal_requests_are_one_computation(engine: Engine) -> None:
    request = QuantizeRequest(LLAMA, "Thirty readers", passage=PASSAGE, scheme=Scheme(3, "tensor"))
    barrier = threading.Barrier(30)

    def one(reader: int) -> QuantizedModel:
        barrier.wait()
        return asked(engine, replace(request, owner=f"quantizes {reader}", request_id=f"quantizes {reader}"))

    before = engine.stats().n_forwards
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(one, range(30)))
    n_forwards = engine.stats().n_forwards - before
    assert n_forwards <= 4  # the sentence, and the passage by each of the two
    for other in found[1:]:
        assert other.logits is not None
        np.testing.assert_array_equal(other.logits, found[0].logits)
        np.testing.assert_array_equal(other.logprobs, found[0].logprobs)
        np.testing.assert_array_equal(other.moved, found[0].moved)
    again = asked(engine, replace(request, owner="late", request_id="late"))
    assert again.cached
    np.testing.assert_array_equal(again.logits, found[0].logits)


def test_different_requests_have_their_copies_one_after_another(engine: Engine) -> None:
    requests = [
        QuantizeRequest(LLAMA, "In a line", scheme=Scheme(bits, "group", 32), owner=f"in line {bits}")
        for bits in (8, 4, 3, 2)
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: asked(engine, one), requests))
    errors = [np.mean([one.error for one in each.matrices]) for each in found]
    assert errors == sorted(errors)
    assert len(set(errors)) == 4


BAD = [
    (QuantizeRequest(LLAMA, ""), EmptyText),
    (QuantizeRequest(LLAMA, "a", passage="a" * 9_000), TextTooLong),
    (QuantizeRequest(LLAMA, "a" * 3_000), TextTooLong),
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(1)), BadValue),
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(16)), BadValue),
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(4, "group", 0)), BadValue),
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(4, "rows")), BadValue),  # type: ignore[arg-type]
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(outliers=0.5)), BadValue),
    (QuantizeRequest(LLAMA, "a", scheme=Scheme(outliers=float("nan"))), BadValue),
]


@pytest.mark.parametrize(("request_", "error"), BAD)
def test_what_cannot_be_is_refused(
    engine: Engine, request_: QuantizeRequest, error: type[PlaygroundError]
) -> None:
    with pytest.raises(error):
        list(engine.quantization.quantize(request_))


def test_a_passage_of_one_token_is_refused_and_the_error_travels(engine: Engine) -> None:
    with pytest.raises(PassageTooShort) as raised:
        list(engine.quantization.quantize(QuantizeRequest(LLAMA, "a", passage="a")))
    again = pickle.loads(pickle.dumps(raised.value))
    assert again.params == raised.value.params == {"got": 1}


def test_weights_of_no_matrix_are_refused(engine: Engine) -> None:
    with pytest.raises(BadValue):
        engine.quantization.weights(LLAMA, "no.such.layer")
