"""Models trained from zero, through the contract: trained, kept with a session, used as any model is."""

from __future__ import annotations

import io
import math
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM, AutoTokenizer

from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.pretraining import (
    MODEL_PREFIX,
    OBJECTIVES,
    BitsRequest,
    BodyRequest,
    PretrainingObservation,
    PretrainingRequest,
)
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import AdapterGone, BadValue, EmptyText, TooManyModels, Unsupported
from tests.engine.training.zero_runs import zero_run

SENTENCE = "The cat sat on the mat."


def ended(engine: Engine, *requests: PretrainingRequest) -> list[TrainingState]:
    for one in requests:
        engine.training.runs.start(one)
    until = time.monotonic() + 300
    while time.monotonic() < until:
        states = [engine.training.runs.state(one.request_id, one.owner) for one in requests]
        if all(one is not None and one.status in ENDED for one in states):
            return [one for one in states if one is not None]
        time.sleep(0.02)
    raise AssertionError("the runs did not end")


@pytest.fixture(scope="module")
def trained(engine: Engine) -> dict[str, TrainingState]:
    """A run of each objective, of one session each."""
    prompts = {"next": ("The ",)}
    requests = [
        zero_run(1, f"{one} reader", objective=one, n_steps=12, prompts=prompts.get(one, ()), other="x" * 80)
        for one in OBJECTIVES
    ]
    return dict(zip(OBJECTIVES, ended(engine, *requests), strict=True))


def folder_of(engine: Engine, model_id: str, into: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(engine.pretraining.exported(model_id))).extractall(into)
    return into


def test_a_run_tells_losses_and_what_it_looks_at(trained: dict[str, TrainingState]) -> None:
    for objective, state in trained.items():
        assert (state.status, state.error, state.step, state.adapter_step) == ("done", None, 12, 12)
        assert [one.step for one in state.observed] == [step for step, _loss in state.held_out]
        assert [step for step, _loss in state.general] == [step for step, _loss in state.held_out]
        assert state.train[0][1] == pytest.approx(math.log(256), abs=4 if objective == "span" else 0.5)
        assert state.held_out[-1][1] < state.held_out[0][1]
        assert all(isinstance(one, PretrainingObservation) for one in state.observed)
        assert state.adapter.startswith(MODEL_PREFIX)


def test_prompts_are_continued_at_milestones(engine: Engine, trained: dict[str, TrainingState]) -> None:
    until = time.monotonic() + 300
    request = trained["next"].run_id
    while time.monotonic() < until:
        state = engine.training.runs.state(request, "next reader")
        assert state is not None
        if all(one.status != "open" for one in state.samples) and {0, 12} <= {s.step for s in state.samples}:
            break
        time.sleep(0.05)
    assert [one.status for one in state.samples] == ["whole"] * len(state.samples)
    assert {one.step for one in state.samples} == {0, 10, 12}
    assert all(one.text for one in state.samples)


def test_a_model_is_a_thing_of_its_session(engine: Engine, trained: dict[str, TrainingState]) -> None:
    model_id = trained["next"].adapter
    [info] = engine.pretraining.of("next reader")
    assert info.model_id == model_id == info.entry.model_id == info.model.model_id
    assert (info.step, info.run, info.settings.name, info.model.state) == (12, 1, "zero 1", "ready")
    assert info.n_parameters == info.model.n_parameters == info.size_bytes // 4
    assert (info.model.n_ctx, info.model.d_vocab, info.model.n_layer, info.model.n_head) == (32, 257, 2, 2)
    assert engine.pretraining.of("another") == []
    assert engine.pretraining.belongs(model_id, "next reader")
    assert not engine.pretraining.belongs(model_id, "another")
    with pytest.raises(AdapterGone):
        engine.pretraining.info(MODEL_PREFIX + "0" * 16)
    with pytest.raises(AdapterGone):
        engine.trace(TraceRequest(MODEL_PREFIX + "0" * 16, "a"))


def test_a_decoder_from_zero_is_that_of_transformers(
    engine: Engine, trained: dict[str, TrainingState], tmp_path: Path
) -> None:
    model_id = trained["next"].adapter
    folder = folder_of(engine, model_id, tmp_path)
    library = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    cut = engine.tokenizers.tokenize(model_id, SENTENCE, add_special_tokens=True)
    assert cut.input_ids == (256, *SENTENCE.encode())
    assert AutoTokenizer.from_pretrained(folder)(SENTENCE)["input_ids"] == list(cut.input_ids)
    with torch.no_grad():
        told = library(torch.tensor([cut.input_ids]), output_attentions=True, output_hidden_states=True)
    capture = Capture(logits="all", attentions="float32", hidden_states="all")
    trace = engine.trace(TraceRequest(model_id, SENTENCE, capture))
    assert trace.logits == pytest.approx(told.logits[0].numpy(), abs=1e-5)
    assert trace.attentions == pytest.approx(torch.stack(told.attentions)[:, 0].numpy(), abs=1e-5)
    assert trace.hidden_states is not None
    assert trace.hidden_states[0] == pytest.approx(told.hidden_states[0][0].numpy(), abs=1e-5)

    bits = -told.logits[0].log_softmax(-1)[torch.arange(len(SENTENCE)), list(SENTENCE.encode())]
    [mine] = engine.pretraining.bits(BitsRequest(model_id, (SENTENCE,)))
    assert mine == pytest.approx(bits.numpy() / math.log(2), abs=1e-4)

    request = GenerateRequest(model_id, "The ", max_new_tokens=6, seed=3)
    steps = list(engine.generate(request))
    assert len(steps) == 6
    [(_place, scores)] = list(engine.score(ScoreRequest(model_id, ("The ",), (("cat", "dog"),))))
    for text, logprob in zip(("cat", "dog"), scores.logprobs, strict=True):
        [each] = engine.pretraining.bits(BitsRequest(model_id, (f"The {text}",)))
        # the space goes with the candidate
        assert logprob == pytest.approx(-each[-4:].sum() * math.log(2), abs=1e-3)
    lens = engine.inside.lens(LensRequest(model_id, SENTENCE, position=4, n_top=3))
    assert lens is not None
    table = engine.vectors.embedding_table(model_id)
    assert table.vectors == pytest.approx(library.get_input_embeddings().weight.detach().numpy(), abs=1e-6)


def test_a_masked_model_fills_and_a_span_model_writes(
    engine: Engine, trained: dict[str, TrainingState], tmp_path: Path
) -> None:
    masked = trained["masked"].adapter
    library = AutoModelForMaskedLM.from_pretrained(folder_of(engine, masked, tmp_path / "masked"))
    cut = engine.tokenizers.tokenize_masked(masked, "The c[MASK]t")
    assert cut.input_ids == (257, *b"The c", 256, *b"t", 258)
    filled = engine.fill(FillRequest(masked, "The c[MASK]t"))
    with torch.no_grad():
        probs = library(torch.tensor([cut.input_ids])).logits[0, 6].softmax(-1).numpy()
    assert filled.positions.tolist() == [6]
    assert int(filled.top_ids[0, 0]) == int(probs.argmax())

    span = trained["span"].adapter
    library = AutoModelForSeq2SeqLM.from_pretrained(folder_of(engine, span, tmp_path / "span"))
    ids = engine.tokenizers.tokenize(span, "The cat", add_special_tokens=True).input_ids
    assert ids == (*b"The cat", 257)
    capture = Capture(logits="last")
    trace = engine.trace(TraceRequest(span, "The cat", capture))
    with torch.no_grad():
        told = library(torch.tensor([ids]), decoder_input_ids=torch.tensor([[256]])).logits[0, -1]
    assert trace.logits is not None
    assert trace.logits[-1] == pytest.approx(told.numpy(), abs=1e-4)
    assert list(engine.generate(GenerateRequest(span, "The cat", max_new_tokens=4)))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_vectors_of_a_body_are_means_of_last_states(
    engine: Engine, trained: dict[str, TrainingState], objective: str
) -> None:
    model_id = trained[objective].adapter
    texts = ("The cat", "a dog", "The cat", "가나다")
    vectors = engine.pretraining.body(BodyRequest(model_id, texts))
    assert vectors.shape == (4, 16)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-6)
    random = engine.pretraining.body(BodyRequest(model_id, texts, is_random=True))
    assert not np.allclose(random, vectors, atol=1e-3)
    again = engine.pretraining.body(BodyRequest(model_id, texts, is_random=True))
    assert np.array_equal(random, again)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_questions_that_cannot_be_are_refused(
    engine: Engine, trained: dict[str, TrainingState], objective: str
) -> None:
    model_id = trained[objective].adapter
    with pytest.raises(BadValue):
        engine.pretraining.body(BodyRequest(model_id, ()))
    with pytest.raises(EmptyText):
        engine.pretraining.body(BodyRequest(model_id, ("",)))
    with pytest.raises(BadValue if objective == "next" else Unsupported):
        engine.pretraining.bits(BitsRequest(model_id, ()))


def test_the_same_seed_is_the_same_curve_and_another_is_not(engine: Engine) -> None:
    first, again, other = (zero_run(seed, f"curve {n}", n_steps=4) for n, seed in enumerate((5, 5, 6)))
    states = ended(engine, first) + ended(engine, again, other)
    assert [loss for _step, loss in states[1].train] == pytest.approx(
        [loss for _step, loss in states[0].train], abs=1e-5
    )
    assert states[2].train[0][1] != states[0].train[0][1]


def test_a_reader_may_pause_stop_and_delete(engine: Engine) -> None:
    runs, request = engine.training.runs, zero_run(7, "stops", n_steps=2_000)
    runs.start(request)
    until = time.monotonic() + 300
    while (state := runs.state(request.request_id, "stops")) and state.step < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    runs.pause(request.request_id)
    runs.resume(request.request_id)
    runs.cancel(request.request_id)
    while (state := runs.state(request.request_id, "stops")) and not (state.adapter and state.is_settled):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert state is not None
    assert state.status == "cancelled"
    assert engine.pretraining.info(state.adapter).step == state.adapter_step > 0
    engine.pretraining.remove(state.adapter, "stops")
    assert engine.pretraining.of("stops") == []
    with pytest.raises(AdapterGone):
        engine.trace(TraceRequest(state.adapter, "a"))


def test_a_session_has_no_more_than_it_may(engine: Engine) -> None:
    for seed in range(6):
        ended(engine, zero_run(seed, "many", n_steps=1))
    assert len(engine.pretraining.of("many")) == 6
    with pytest.raises(TooManyModels):
        engine.training.runs.start(zero_run(9, "many", n_steps=1))
    with pytest.raises(BadValue):
        engine.training.runs.start(zero_run(9, "none", n_steps=0))


def test_bits_of_a_long_text_are_those_of_its_windows(
    engine: Engine, trained: dict[str, TrainingState]
) -> None:
    text = "The dog ran to the old house and the cat sat on the mat by the sea."
    [bits] = engine.pretraining.bits(BitsRequest(trained["next"].adapter, (text,)))
    assert bits.shape == (len(text.encode()),)
    assert (bits > 0).all()
    # the second window begins at byte 16: its first 8 bytes are read and do not count
    [second] = engine.pretraining.bits(BitsRequest(trained["next"].adapter, (text[16:48],)))
    assert bits[24:48] == pytest.approx(second[8:], abs=1e-4)
    [alone] = engine.pretraining.bits(BitsRequest(trained["next"].adapter, (text[24:48],)))
    assert bits[24:30] != pytest.approx(alone[:6], abs=1e-4), "without what stands before"
