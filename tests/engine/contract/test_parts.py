"""The parts of an engine agree with its traces: inside, vectors, tokenizers, adapters, training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from playground.engine.contract.engine import Engine
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import (
    ENDED,
    FinetuneRequest,
    FinetuneSettings,
    RemedyObservation,
    TrainingState,
    TrainingText,
)
from playground.engine.contract.vectors import TracesRequest
from playground.errors import (
    EmptyText,
    HeldOutTrained,
    ModelNotFound,
    TextTooLong,
    TrainingFrozen,
    Unsupported,
)
from tests import tiny

TEXT = "the dog sat on a mat"
DECODERS = (tiny.LLAMA, tiny.GPT2)


@pytest.mark.parametrize("model", DECODERS)
def test_the_last_layer_of_the_lens_is_the_models_answer(engine: Engine, model: str) -> None:
    lens = engine.inside.lens(LensRequest(model, TEXT, n_top=3))
    logits = engine.trace(TraceRequest(model, TEXT, Capture(logits="all"))).logits
    assert lens.answer_ids.tolist() == logits.argmax(-1).tolist()
    assert lens.positions == tuple(range(len(logits)))
    column = engine.inside.lens(LensRequest(model, TEXT, position=2))
    np.testing.assert_allclose(column.logits[-1], logits[2], atol=1e-4)


def test_every_head_is_switched_off_once(engine: Engine) -> None:
    parts = list(engine.inside.ablations(AblationsRequest(tiny.LLAMA, TEXT)))
    heads = [head for part in parts for head in part.heads]
    info = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    assert heads == [(layer, head) for layer in range(info.n_layer) for head in range(info.n_head)]
    assert {part.n_heads for part in parts} == {len(heads)}


@pytest.mark.parametrize("model", DECODERS)
def test_weights_give_the_logits_and_count_the_parameters(engine: Engine, model: str) -> None:
    trace = engine.trace(
        TraceRequest(model, TEXT, Capture(hidden_states="all", logits="last", block_outputs=True))
    )
    tokens = (3, 11, 40)
    unembedding = engine.inside.unembedding(model, tokens)
    final = trace.hidden_states[-1, -1].astype(np.float64)
    np.testing.assert_allclose(
        unembedding.rows @ final + unembedding.row_bias, trace.logits[-1, list(tokens)], atol=1e-4
    )
    info = next(one for one in engine.models() if one.model_id == model)
    assert sum(part.n_parameters for part in engine.inside.parts(model)) == info.n_parameters
    assert engine.inside.head_output(model, 1, 0).shape == (info.d_head, info.d_model)


def test_positions_are_told_apart_by_a_table_or_a_rotation(engine: Engine) -> None:
    kinds = {model: engine.inside.positions(model).kind for model in (*DECODERS, tiny.BERT)}
    assert kinds == {tiny.LLAMA: "rotary", tiny.GPT2: "learned", tiny.BERT: "learned"}
    with pytest.raises(Unsupported):
        engine.inside.positions(tiny.T5)


def test_many_texts_give_the_traces_of_each_and_name_what_cannot_be_read(engine: Engine) -> None:
    texts = (TEXT, "", "the cat", TEXT)
    found = dict(engine.vectors.traces(TracesRequest(tiny.BERT, texts, "all")))
    assert sorted(found) == [0, 1, 2, 3]
    assert isinstance(found.pop(1), EmptyText)
    for place, trace in found.items():
        alone = engine.trace(TraceRequest(tiny.BERT, texts[place], Capture(hidden_states="all")))
        np.testing.assert_allclose(trace.hidden_states, alone.hidden_states, atol=1e-5)


def test_the_table_holds_the_first_states_of_a_rotary_model(engine: Engine) -> None:
    table = engine.vectors.embedding_table(tiny.LLAMA)
    trace = engine.trace(TraceRequest(tiny.LLAMA, TEXT, Capture(hidden_states=(0,))))
    np.testing.assert_allclose(table.vectors[trace.input_ids], trace.hidden_states[0], atol=1e-6)
    fresh = engine.vectors.untrained_vectors(5, 16, seed=3)
    np.testing.assert_array_equal(fresh, engine.vectors.untrained_vectors(5, 16, seed=3))


@pytest.mark.parametrize("model", [*DECODERS, tiny.BERT])
@pytest.mark.parametrize("text", [TEXT, "가나다 🙂 e\u0301", "<|im_start|> [CLS]"])
def test_tokens_are_those_that_the_model_reads(engine: Engine, model: str, text: str) -> None:
    cut = engine.tokenizers.tokenize(model, text, add_special_tokens=True)
    bare = engine.tokenizers.tokenize(model, text, add_special_tokens=False)
    assert tuple(engine.trace(TraceRequest(model, text)).input_ids.tolist()) == cut.input_ids
    assert tuple(i for i, mark in zip(cut.input_ids, cut.special, strict=True) if not mark) == bare.input_ids
    assert engine.tokenizers.token_texts(model, cut.input_ids) == cut.tokens
    if model in DECODERS:
        assert engine.tokenizers.text_of(model, bare.input_ids) == text


def test_tokenizers_without_a_model_are_named_and_refuse_too_long_texts(engine: Engine) -> None:
    assert {"unigram", tiny.LLAMA} <= engine.tokenizers.names().keys()
    info = engine.tokenizers.info("unigram")
    assert max(engine.tokenizers.tokenize("unigram", TEXT, add_special_tokens=False).input_ids) < info.d_vocab
    with pytest.raises(TextTooLong):
        engine.tokenizers.tokenize("unigram", "x" * 100_000, add_special_tokens=False)
    with pytest.raises(ModelNotFound):
        engine.tokenizers.info("nobody/nothing")


def test_a_session_that_trained_nothing_has_nothing(engine: Engine) -> None:
    assert engine.training.runs.of("nobody") == []
    assert engine.training.runs.state("none", "nobody") is None
    assert engine.adapters.of("nobody") == []
    assert not engine.adapters.belongs(f"{tiny.LLAMA}+0123", "nobody")
    linears = engine.training.linears(tiny.LLAMA)
    assert {one.layer for one in linears} == set(range(len({one.layer for one in linears})))


def test_a_run_ends_with_an_adapter_of_its_session_that_knows_the_text_better(engine: Engine) -> None:
    text = TrainingText((5, 6, 7, 8, 9, 5, 6, 7, 8, 9), (False, *[True] * 9))
    settings = FinetuneSettings(tiny.LLAMA, "contract", n_steps=12, learning_rate=1e-2)
    request = FinetuneRequest(settings, train=(text,) * 4, held_out=(text,), owner="trains")
    runs = engine.training.runs
    runs.start(request)
    end = time.monotonic() + 60
    while (state := runs.state(request.request_id, "trains")) is not None:
        if state.status in ENDED and state.is_settled:
            break
        assert time.monotonic() < end
        time.sleep(0.02)
    assert state is not None
    assert state.status == "done", state.error
    assert state.held_out[-1][1] < state.held_out[0][1] / 2
    assert runs.state(request.request_id, "another") is None
    assert [info.model_id for info in engine.adapters.of("trains")] == [state.adapter]
    surprisal = {}
    for model in (tiny.LLAMA, state.adapter):
        trace = TraceRequest(model, input_ids=text.input_ids, capture=Capture(logits="all"))
        logits = engine.trace(trace).logits.astype(np.float64)
        log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        surprisal[model] = -log_probs[np.arange(9), text.input_ids[1:]].mean()
    assert surprisal[tiny.LLAMA] == pytest.approx(state.held_out[0][1], rel=1e-4)
    best = min(loss for _step, loss in state.held_out)
    assert surprisal[state.adapter] == pytest.approx(best, rel=1e-3)
    engine.adapters.remove(state.adapter, "trains")
    assert engine.adapters.of("trains") == []


def test_a_remedy_and_what_it_tells_cross_to_any_engine(engine: Engine) -> None:
    text, old = (TrainingText(ids, (False, *[True] * 4)) for ids in ((5, 6, 7, 8, 9), (9, 8, 7, 6, 5)))
    settings = FinetuneSettings(tiny.LLAMA, "held", n_steps=4, learning_rate=1e-2, remedy=Remedy("ewc", 1e3))
    request = FinetuneRequest(settings, (text,) * 4, (text,), owner="held", old=(old,))
    runs = engine.training.runs
    with pytest.raises(HeldOutTrained):
        runs.start(replace(request, general=(old,)))
    runs.start(request)
    end = time.monotonic() + 300
    while (state := runs.state(request.request_id, "held")) is not None and state.status not in ENDED:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert state is not None
    assert state.status == "done", state.error
    seen = state.observed[-1]
    assert isinstance(seen, RemedyObservation)
    assert seen.distance > 0
    assert seen.penalty > 0


def test_equal_runs_are_each_sessions_own(engine: Engine) -> None:
    text = TrainingText((9, 8, 7, 6, 5, 9, 8, 7, 6, 5), (False, *[True] * 9))
    runs, requests = engine.training.runs, {}
    for owner in ("equal 1", "equal 2", "equal 3"):
        settings = FinetuneSettings(tiny.LLAMA, f"of {owner}", n_steps=60, learning_rate=1e-2)
        requests[owner] = FinetuneRequest(settings, train=(text,) * 4, held_out=(text,), owner=owner)
        runs.start(requests[owner])
    runs.cancel(requests["equal 1"].request_id)
    runs.pause(requests["equal 2"].request_id)
    runs.resume(requests["equal 2"].request_id)
    end, states = time.monotonic() + 60, {}
    while len(states) < 3:
        assert time.monotonic() < end
        for owner, request in requests.items():
            state = runs.state(request.request_id, owner)
            assert state is not None
            if state.status in ENDED and state.is_settled:
                states[owner] = state
        time.sleep(0.02)
    assert states["equal 1"].status == "cancelled" or states["equal 1"].step == 60
    assert [states[owner].status for owner in ("equal 2", "equal 3")] == ["done", "done"]
    np.testing.assert_allclose(states["equal 2"].train, states["equal 3"].train, atol=1e-5)
    for owner in ("equal 2", "equal 3"):
        (own,) = engine.adapters.of(owner)
        assert own.model_id == states[owner].adapter
        assert own.name == states[owner].settings.name == f"of {owner}"
        engine.adapters.remove(own.model_id, owner)


def test_training_rests_for_all_and_goes_on_where_it_was(engine: Engine) -> None:
    text = TrainingText((7, 6, 5, 9, 8, 7, 6, 5), (False, *[True] * 7))
    settings = FinetuneSettings(tiny.LLAMA, "rests", n_steps=200, learning_rate=1e-3)
    request = FinetuneRequest(settings, train=(text,) * 4, held_out=(text,), owner="rests")
    runs = engine.training.runs

    def state_when(seen: Callable[[TrainingState], bool]) -> TrainingState:
        end = time.monotonic() + 60
        while (state := runs.state(request.request_id, "rests")) is None or not seen(state):
            assert time.monotonic() < end
            time.sleep(0.02)
        return state

    runs.start(request)
    state_when(lambda state: state.step >= 2)
    runs.freeze(60)
    try:
        assert runs.is_frozen
        rests = state_when(lambda state: state.is_frozen and state.is_settled)
        with pytest.raises(TrainingFrozen):
            runs.start(replace(request, owner="another", request_id=uuid4().hex))
        time.sleep(0.3)
        assert state_when(lambda _state: True).step == rests.step < 200
    finally:
        runs.release()
    assert not runs.is_frozen
    state = state_when(lambda state: state.status in ENDED and state.is_settled)
    assert (state.status, state.step, state.is_frozen) == ("done", 200, False)
    assert state.train[: rests.step] == rests.train
    engine.adapters.remove(state.adapter, "rests")
