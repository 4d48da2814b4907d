"""A trace is what the library computes, alone or in a batch."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.trace import weights_from_uint8
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.engine.models import traced_attention as attention
from playground.engine.models.loaded import LoadedModel
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding

TEXT = "The capital of England is"
DECODERS = (tiny.LLAMA, tiny.GPT2)
SINGLE_STACK = (*DECODERS, tiny.BERT)


def ask(engine: LocalEngine, model: str, text: str = TEXT, decoder_text: str = "", **wanted: Any) -> Any:
    return engine.trace(TraceRequest(model, text, Capture(**wanted), decoder_text=decoder_text))


def plain(settings: Settings, model: str, input_ids: np.ndarray) -> Any:
    with torch.no_grad():
        return oracle(settings, model)(
            input_ids=torch.from_numpy(input_ids.copy())[None],
            output_attentions=True,
            output_hidden_states=True,
        )


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_trace_equals_the_library(tiny_engine: LocalEngine, tiny_settings: Settings, model: str) -> None:
    everything = {"attentions": "float32", "hidden_states": "all"}
    if model in DECODERS:
        everything["logits"] = "all"
    trace = ask(tiny_engine, model, **everything)
    expected = plain(tiny_settings, model, trace.input_ids)
    np.testing.assert_allclose(trace.attentions, torch.stack(expected.attentions)[:, 0], atol=1e-5)
    np.testing.assert_allclose(trace.hidden_states, torch.stack(expected.hidden_states)[:, 0], atol=1e-4)
    assert trace.hidden_layers == tuple(range(len(expected.hidden_states)))
    if model in DECODERS:
        np.testing.assert_allclose(trace.logits, expected.logits[0], atol=1e-4)


@pytest.mark.real
@pytest.mark.parametrize("model", [DEFAULT_DECODER, DEFAULT_ENCODER])
def test_real_trace_equals_the_library(real_engine: LocalEngine, real_settings: Settings, model: str) -> None:
    logits = {"logits": "all"} if model == DEFAULT_DECODER else {}
    trace = ask(real_engine, model, attentions="float32", hidden_states="all", **logits)
    expected = plain(real_settings, model, trace.input_ids)
    np.testing.assert_allclose(trace.attentions, torch.stack(expected.attentions)[:, 0], atol=1e-5)
    # the residual stream of the 135M model has entries of 1,000 and more
    np.testing.assert_allclose(
        trace.hidden_states, torch.stack(expected.hidden_states)[:, 0], rtol=1e-4, atol=1e-3
    )
    if logits:
        np.testing.assert_allclose(trace.logits, expected.logits[0], atol=1e-3)


def test_encoder_decoder_trace_equals_the_library(tiny_engine: LocalEngine, tiny_settings: Settings) -> None:
    trace = ask(
        tiny_engine, tiny.T5, attentions="float32", hidden_states="all", logits="all", decoder_text="The cat"
    )
    assert trace.decoder_input_ids is not None
    with torch.no_grad():
        expected = oracle(tiny_settings, tiny.T5)(
            input_ids=torch.from_numpy(trace.input_ids.copy())[None],
            decoder_input_ids=torch.from_numpy(trace.decoder_input_ids.copy())[None],
            output_attentions=True,
            output_hidden_states=True,
        )
    for name, theirs in {
        "attentions": expected.encoder_attentions,
        "decoder_attentions": expected.decoder_attentions,
        "decoder_hidden_states": expected.decoder_hidden_states,
        "cross_attentions": expected.cross_attentions,
        "hidden_states": expected.encoder_hidden_states,
    }.items():
        np.testing.assert_allclose(getattr(trace, name), torch.stack(theirs)[:, 0], atol=1e-4, err_msg=name)
    np.testing.assert_allclose(trace.logits, expected.logits[0], atol=1e-4)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_trace_does_not_depend_on_its_neighbours(tiny_engine: LocalEngine, model: str) -> None:
    loaded = _loaded(tiny_engine, model)
    texts = [TEXT, "the cat", "a", "The capital of France is Paris. the cat sat on the mat"]
    rows = [InputRow(loaded.tokenizer.encode(text)) for text in texts]
    capture = Capture("float32", "all", "all" if model in DECODERS else None)
    with torch.no_grad():
        together = run_traces(loaded, rows, capture)
        for row, batched in zip(rows, together, strict=True):
            (alone,) = run_traces(loaded, [row], capture)
            for name in ("attentions", "hidden_states", "logits"):
                one, many = getattr(alone, name), getattr(batched, name)
                if one is not None:
                    same_to_rounding(many, one, name)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_rows_of_one_forward_keep_what_each_asked_for(tiny_engine: LocalEngine, model: str) -> None:
    loaded, is_decoder = _loaded(tiny_engine, model), model in DECODERS
    captures = [
        Capture("float32", (0,), "last" if is_decoder else None),
        Capture(hidden_states="all", block_outputs=True),
        Capture(logits="last") if is_decoder else Capture(hidden_states=(1,)),
        Capture("uint8", window=(1, 3), query_key=True),
        Capture(hidden_states="all", block_outputs=True),
        Capture("float32", (0,), "all" if is_decoder else None),
    ]
    texts = [TEXT, "the cat sat", "a", "The capital of France is Paris.", "the mat", "the dog sat on the mat"]
    rows = [InputRow(loaded.tokenizer.encode(text)) for text in texts]
    with torch.no_grad():
        together = run_traces(loaded, rows, captures)
        for row, capture, batched in zip(rows, captures, together, strict=True):
            (alone,) = run_traces(loaded, [row], capture)
            for one in fields(alone):
                mine, theirs = getattr(batched, one.name), getattr(alone, one.name)
                if not isinstance(theirs, np.ndarray):
                    assert mine == theirs or one.name == "elapsed_ms", one.name
                elif theirs.dtype == np.uint8:
                    assert np.abs(mine.astype(int) - theirs).max() <= 1, one.name
                else:
                    same_to_rounding(mine, theirs, one.name)


def test_encoder_decoders_share_a_forward_and_do_not_see_each_other(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    loaded, net = _loaded(tiny_engine, tiny.T5), oracle(tiny_settings, tiny.T5)
    read = [
        (TEXT, "the cat sat"),
        ("a", ""),
        ("the dog sat on the mat and the cat", "a"),
        ("the cat", "서울"),
    ]
    encode = loaded.tokenizer.encode
    rows = [InputRow(encode(text), (0, *encode(target, add_special_tokens=False))) for text, target in read]
    with torch.no_grad():
        traces = run_traces(loaded, rows, Capture("float32", "all", "all"))
        for row, trace in zip(rows, traces, strict=True):
            expected = net(
                input_ids=torch.tensor([row.input_ids]),
                decoder_input_ids=torch.tensor([row.decoder_ids]),
                output_attentions=True,
                output_hidden_states=True,
            )
            for name, theirs in {
                "attentions": expected.encoder_attentions,
                "decoder_attentions": expected.decoder_attentions,
                "decoder_hidden_states": expected.decoder_hidden_states,
                "cross_attentions": expected.cross_attentions,
                "hidden_states": expected.encoder_hidden_states,
            }.items():
                same_to_rounding(getattr(trace, name), torch.stack(theirs)[:, 0], name)
            same_to_rounding(trace.logits, expected.logits[0])


@pytest.mark.real
def test_real_trace_does_not_depend_on_its_neighbours(real_engine: LocalEngine) -> None:
    loaded = _loaded(real_engine, DEFAULT_DECODER)
    rows = [
        InputRow(loaded.tokenizer.encode(text)) for text in (TEXT, "나는 최근 파리 여행을 다녀왔다", "Hi")
    ]
    capture = Capture("float32", None, "last")
    with torch.no_grad():
        together = run_traces(loaded, rows, capture)
        for row, batched in zip(rows, together, strict=True):
            (alone,) = run_traces(loaded, [row], capture)
            np.testing.assert_allclose(batched.attentions, alone.attentions, atol=1e-5)
            np.testing.assert_allclose(batched.logits, alone.logits, atol=1e-4)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_attention_rows_sum_to_one_and_causal_zeros_are_exact(tiny_engine: LocalEngine, model: str) -> None:
    trace = ask(tiny_engine, model, attentions="float32")
    np.testing.assert_allclose(trace.attentions.sum(-1), 1, atol=1e-5)
    upper = np.triu(np.ones(trace.attentions.shape[-2:], dtype=bool), 1)
    assert (trace.attentions[..., upper] == 0).all() == (model in DECODERS)


def test_uint8_attentions_are_within_their_stated_error(tiny_engine: LocalEngine) -> None:
    exact = ask(tiny_engine, tiny.LLAMA, attentions="float32").attentions
    coarse = weights_from_uint8(ask(tiny_engine, tiny.LLAMA, attentions="uint8").attentions)
    assert (np.abs(coarse - exact) <= np.sqrt(exact) / 255 + 1 / 510**2 + 1e-6).all()
    np.testing.assert_array_equal(coarse == 0, exact < (0.5 / 255) ** 2)


def test_nothing_is_captured_unless_asked(tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = attention.attention_weights
    monkeypatch.setattr(attention, "attention_weights", lambda *args: (calls.append(1), real(*args))[1])
    trace = ask(tiny_engine, tiny.LLAMA, text="nothing captured", logits="last")
    assert (trace.attentions, trace.hidden_states, calls) == (None, None, [])
    ask(tiny_engine, tiny.LLAMA, text="nothing captured", attentions="uint8")
    assert len(calls) == 1  # for all layers


def test_trace_is_read_only_and_holds_no_tensor(tiny_engine: LocalEngine) -> None:
    trace = ask(tiny_engine, tiny.LLAMA, attentions="uint8", hidden_states=(0, 2), logits="last")
    with pytest.raises(ValueError, match="read-only"):
        trace.logits[0, 0] = 0
    assert trace.hidden_states.shape[0] == 2
    assert trace.logit_positions.tolist() == [len(trace.input_ids) - 1]
    assert trace.attentions.base is None
    assert trace.logits.base is None


@pytest.mark.real
def test_london_follows_the_capital_of_england(real_engine: LocalEngine) -> None:
    logits = ask(real_engine, DEFAULT_DECODER, logits="last").logits[0].astype(np.float64)
    probs = np.exp(logits - logits.max())
    probs /= probs.sum()
    best = np.argsort(probs)[::-1][:2]
    assert real_engine.tokenizers.token_texts(DEFAULT_DECODER, best) == (" London", " the")
    assert probs[best[0]] == pytest.approx(0.589, abs=0.005)
    assert probs[best[1]] == pytest.approx(0.082, abs=0.005)


def _loaded(engine: LocalEngine, model: str) -> LoadedModel:
    return engine._table.load(model).result(timeout=180)
