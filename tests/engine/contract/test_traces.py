"""A trace holds what was asked for, whoever computes it."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from playground.core.interventions import Intervention, patch
from playground.engine.contract.engine import Engine
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import Capture, TraceManyRequest, TraceRequest
from playground.errors import (
    BadValue,
    EmptyText,
    ModelNotFound,
    PlaygroundError,
    TextTooLong,
    TooManyTokens,
    Unsupported,
)
from tests import tiny

TEXT = "the cat sat on the mat"
EVERYTHING = Capture("float32", "all", "all", query_key=True, block_outputs=True, predictions=3)


def info_of(engine: Engine, model: str) -> ModelInfo:
    return next(info for info in engine.models() if info.model_id == model)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_what_is_asked_for_has_its_shape_and_nothing_else_is_there(engine: Engine, model: str) -> None:
    whole = engine.trace(TraceRequest(model, TEXT, EVERYTHING))
    bare = engine.trace(TraceRequest(model, TEXT))
    info, n = info_of(engine, model), len(whole.input_ids)
    shapes = {
        "attentions": (info.n_layer, info.n_head, n, n),
        "queries": (info.n_layer, info.n_head, n, info.d_head),
        "keys": (info.n_layer, info.n_kv_head, n, info.d_head),
        "values": (info.n_layer, info.n_kv_head, n, info.d_head),
        "attn_out": (info.n_layer, n, info.d_model),
        "mlp_out": (info.n_layer, n, info.d_model),
        "hidden_states": (info.n_layer + 1, n, info.d_model),
        "logits": (n, info.d_vocab),
    }
    assert {name: getattr(whole, name).shape for name in shapes} == shapes
    assert {getattr(bare, name) for name in (*shapes, "predictions")} == {None}
    np.testing.assert_array_equal(bare.input_ids, whole.input_ids)
    np.testing.assert_allclose(whole.attentions.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(np.triu(whole.attentions[0, 0], 1), 0)


def test_traces_asked_for_together_are_those_asked_for_alone_in_one_forward(engine: Engine) -> None:
    texts = ("one text of many", "two texts of many", "a third text of many")
    asked = tuple(TraceRequest(tiny.LLAMA, text, Capture(logits="last")) for text in (*texts, texts[0]))
    before = engine.stats().n_forwards
    together = engine.trace_many(TraceManyRequest(tiny.LLAMA, asked))
    assert engine.stats().n_forwards == before + 1
    for request, trace in zip(asked, together, strict=True):
        alone = engine.trace(request)
        np.testing.assert_array_equal(trace.input_ids, alone.input_ids)
        np.testing.assert_allclose(trace.logits, alone.logits, atol=1e-5)
    before = engine.stats().n_forwards
    again = engine.trace_many(TraceManyRequest(tiny.LLAMA, asked))
    assert all(trace.cached for trace in again)
    assert engine.stats().n_forwards == before


def test_the_first_of_traces_asked_for_together_that_cannot_be_ends_them_all(engine: Engine) -> None:
    good, bad = TraceRequest(tiny.LLAMA, TEXT), TraceRequest(tiny.LLAMA, input_ids=(10**6,))
    with pytest.raises(BadValue):
        engine.trace_many(TraceManyRequest(tiny.LLAMA, (good, bad)))
    for requests in ((), (good,) * 17):
        with pytest.raises(BadValue, match="requests"):
            engine.trace_many(TraceManyRequest(tiny.LLAMA, requests))


def test_a_block_adds_what_its_parts_put_out(engine: Engine) -> None:
    trace = engine.trace(TraceRequest(tiny.LLAMA, TEXT, EVERYTHING))
    before, after = trace.hidden_states[:-2], trace.hidden_states[1:-1]
    np.testing.assert_allclose(before + trace.attn_out[:-1] + trace.mlp_out[:-1], after, atol=1e-4)


def test_the_same_question_is_answered_from_memory(engine: Engine) -> None:
    asked = TraceRequest(tiny.GPT2, "a question asked twice", Capture(logits="last"))
    first, second = engine.trace(asked), engine.trace(asked)
    assert (first.cached, second.cached) == (False, True)
    np.testing.assert_array_equal(first.logits, second.logits)


def test_a_text_begun_in_another_trace_goes_on_from_there(engine: Engine) -> None:
    begun = engine.trace(TraceRequest(tiny.LLAMA, TEXT, Capture(logits="last", query_key=True)))
    ids = (*begun.input_ids.tolist(), 7, 9)
    after = engine.trace(TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="last"), after=begun))
    whole = engine.trace(TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="all")))
    np.testing.assert_allclose(after.logits[-1], whole.logits[-1], atol=1e-4)


def test_an_intervention_changes_what_comes_after_it(engine: Engine) -> None:
    capture = Capture(hidden_states="all")
    plain = engine.trace(TraceRequest(tiny.LLAMA, TEXT, capture))
    own = Intervention(patches=(patch(1, 2, plain.hidden_states[1, 2]),))
    same = engine.trace(TraceRequest(tiny.LLAMA, TEXT, capture, intervention=own))
    off = engine.trace(TraceRequest(tiny.LLAMA, TEXT, capture, intervention=Intervention(((1, 0),))))
    np.testing.assert_allclose(same.hidden_states, plain.hidden_states, atol=1e-5)
    np.testing.assert_allclose(off.hidden_states[:2], plain.hidden_states[:2], atol=1e-5)
    assert np.abs(off.hidden_states[2] - plain.hidden_states[2]).max() > 1e-3


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (TraceRequest(tiny.LLAMA, ""), EmptyText),
        (TraceRequest(tiny.LLAMA, "x" * 100_000), TextTooLong),
        (TraceRequest(tiny.LLAMA, input_ids=(5,) * 1_000), TooManyTokens),
        (TraceRequest(tiny.LLAMA, input_ids=(-1,)), BadValue),
        (TraceRequest(tiny.LLAMA, TEXT, Capture(hidden_states=(99,))), BadValue),
        (TraceRequest(tiny.LLAMA, TEXT, Capture(attentions="float32", window=(3, 3))), BadValue),
        (TraceRequest(tiny.LLAMA, TEXT, intervention=Intervention(((99, 0),))), BadValue),
        (TraceRequest(tiny.BERT, TEXT, Capture(logits="last")), Unsupported),
        (TraceRequest("nobody/nothing", TEXT), ModelNotFound),
    ],
)
def test_what_cannot_be_is_refused(
    engine: Engine, request_: TraceRequest, error: type[PlaygroundError]
) -> None:
    with pytest.raises(error):
        engine.trace(request_)


def test_requests_and_answers_are_values_that_can_be_sent(engine: Engine) -> None:
    request = TraceRequest(tiny.LLAMA, TEXT, EVERYTHING)
    assert pickle.loads(pickle.dumps(request)) == request
    with pytest.raises(FrozenInstanceError):
        request.capture.logits = "last"  # type: ignore[misc]
    trace = engine.trace(request)
    again = pickle.loads(pickle.dumps(trace))
    np.testing.assert_array_equal(again.logits, trace.logits)
    with pytest.raises(ValueError, match="read-only"):
        trace.logits[0, 0] = 0
