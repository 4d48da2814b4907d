"""DPO by any engine: pairs cut, runs trained and watched, the adapter used, refusals by name."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from playground.core.lora import LoraConfig
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.engine import Engine
from playground.engine.contract.preferences import DpoObservation, DpoRequest, DpoSettings
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import AlikeWhenCut, BadValue, EmptyText, HeldOutTrained, SameAnswers
from tests import tiny

LAST, ALL = Capture(logits="last"), Capture(logits="all")
PAIRS = tuple(
    PreferencePair(f"Where is {name}?", f"{name} is here.", f"I do not know {name}, go away!")
    for name in ("London", "Paris", "서울", "the cat", "the dog", "the mat")
)
SETTINGS = DpoSettings(
    tiny.LLAMA, "polite", n_steps=8, learning_rate=1e-2, batch_size=3, lora=LoraConfig(r=4, lora_alpha=8.0)
)


def request_of(engine: Engine, settings: DpoSettings = SETTINGS, n_train: int = 4) -> DpoRequest:
    found = engine.preferences.examples(tiny.LLAMA, PAIRS)
    prompts = engine.preferences.prompts(tiny.LLAMA, [PAIRS[-1].prompt])
    return DpoRequest(
        settings, found[:n_train], found[4:], prompts=tuple(one.prompt_ids for one in prompts),
        owner=uuid4().hex,
    )  # fmt: skip


def ended(engine: Engine, request: DpoRequest) -> TrainingState:
    """Its end: with its adapter, its prompts continued."""
    engine.training.runs.start(request)
    until = time.monotonic() + 300
    while True:
        assert time.monotonic() < until
        state = engine.training.runs.state(request.request_id, request.owner)
        is_over = state is not None and state.status in ENDED and state.is_settled
        if state is not None and is_over and all(one.status != "open" for one in state.samples):
            return state
        time.sleep(0.02)


def test_pairs_are_learned_watched_and_become_a_model(engine: Engine) -> None:
    request = request_of(engine)
    state = ended(engine, request)
    assert (state.status, state.error, state.step) == ("done", None, 8)
    assert state.held_out[0][1] == pytest.approx(math.log(2), abs=1e-5)
    observed = [one for one in state.observed if isinstance(one, DpoObservation)]
    assert [one.step for one in observed] == [step for step, _loss in state.held_out]
    assert observed[-1].kl > observed[0].kl >= 0
    before, after = (one.train.dpo(SETTINGS.beta) for one in (observed[0], observed[-1]))
    assert after.loss < before.loss
    assert after.margins.mean() > 0.1
    assert {one.step for one in state.samples} == {0, 8}
    own, base = (
        engine.trace(TraceRequest(model, input_ids=request.prompts[0], capture=LAST)).logits
        for model in (state.adapter, tiny.LLAMA)
    )
    assert own is not None
    assert base is not None
    assert np.abs(own - base).max() > 1e-3
    assert len(engine.adapters.exported(state.adapter, {})) > 1_000
    engine.cancel_owner(request.owner)


def test_an_adapter_gives_the_log_probabilities_that_were_observed(engine: Engine) -> None:
    """The finished model, asked as any other, says of a pair what the run said at its end."""
    request = request_of(engine)
    state = ended(engine, request)
    last = state.observed[-1]
    assert isinstance(last, DpoObservation)
    for place, pair in enumerate(request.held_out):
        for name in ("chosen", "rejected"):
            answer = getattr(pair, f"{name}_ids")
            ids = (*pair.prompt_ids, *answer)
            for model, told in ((state.adapter, name), (tiny.LLAMA, f"ref_{name}")):
                logits = engine.trace(
                    TraceRequest(model, input_ids=ids, capture=Capture(logits="all"))
                ).logits
                assert logits is not None
                own = logits[len(pair.prompt_ids) - 1 : -1].astype(np.float64)
                logprobs = own - np.logaddexp.reduce(own, axis=-1, keepdims=True)
                whole = logprobs[np.arange(len(answer)), list(answer)].sum()
                assert getattr(last.held_out, told)[place] == pytest.approx(whole, abs=5e-3)
    engine.cancel_owner(request.owner)


def test_what_cannot_be_learned_from_is_refused_by_name(engine: Engine) -> None:
    examples = engine.preferences.examples
    with pytest.raises(SameAnswers, match="Both answers to"):
        examples(tiny.LLAMA, [PreferencePair("Hi", "Yes.", "Yes.")])
    with pytest.raises(AlikeWhenCut, match="alike as far as they are read"):
        examples(tiny.LLAMA, [PreferencePair("Hi", "the cat " * 300, "the cat " * 301)])
    with pytest.raises(EmptyText):
        engine.preferences.prompts(tiny.LLAMA, [""])
    request = request_of(engine)
    for bad, error in (
        (replace(request, settings=replace(SETTINGS, beta=0.0)), BadValue),
        (replace(request, settings=replace(SETTINGS, beta=math.nan)), BadValue),
        (replace(request, held_out=request.train), HeldOutTrained),
        (replace(request, train=()), BadValue),
    ):
        with pytest.raises(error):
            engine.training.runs.start(bad)


def test_200_rows_of_2000_characters_are_cut_and_trained(engine: Engine) -> None:
    random = np.random.default_rng(0)

    def text() -> str:
        return "".join(random.choice(list("the cat sat on a mat. "), 2_000))

    rows = [PreferencePair(text(), text(), text()) for _ in range(200)]
    found = engine.preferences.examples(tiny.LLAMA, rows)
    assert len(found) == 200
    assert all(one.n_cut > 100 and one.n_tokens <= tiny.N_CTX for one in found)
    assert all(abs(len(one.chosen_ids) - len(one.rejected_ids)) <= 1 for one in found)
    settings = replace(SETTINGS, n_steps=2, batch_size=4)
    request = DpoRequest(settings, found[:150], found[150:], owner=uuid4().hex)
    state = ended(engine, request)
    assert (state.status, state.step) == ("done", 2)
    engine.cancel_owner(request.owner)
