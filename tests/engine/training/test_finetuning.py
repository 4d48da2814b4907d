"""Fused training against peft, and adapters against plain ones."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import peft
import pytest
import torch

from playground.core.lora import delta_weight
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import (
    FinetuneRequest,
    TrainingText,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import EPS, MAX_NORM, AdapterBank
from playground.engine.training.run import text_order
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.decoding.test_llama_step import CountOperations
from tests.engine.training.learning import (
    batches,
    run_of,
    slot_of,
    texts,
    wait,
    wait_written,
)


class PeftRun:
    """The same run by stock peft and stock AdamW, one text after another so that nothing is padded."""

    def __init__(self, settings: Settings, request: FinetuneRequest) -> None:
        import copy

        asked, lora = request.settings, request.settings.lora
        config = peft.LoraConfig(
            r=lora.r, lora_alpha=lora.lora_alpha, target_modules=list(lora.target_modules),
            lora_dropout=0.0, fan_in_fan_out=asked.model == tiny.GPT2,
        )  # fmt: skip
        self.model = peft.get_peft_model(copy.deepcopy(oracle(settings, asked.model)), config)
        self.request = request
        generator = torch.Generator().manual_seed(asked.seed)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if "lora_A" in name:
                    parameter.uniform_(
                        -(parameter.shape[1] ** -0.5), parameter.shape[1] ** -0.5, generator=generator
                    )
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=asked.learning_rate, weight_decay=0.0, eps=EPS)
        self.order = text_order(len(request.train), asked.n_steps * asked.batch_size, asked.seed)

    def backward(self, step: int) -> float:
        first, size = step * self.request.settings.batch_size, self.request.settings.batch_size
        batch = [self.request.train[place] for place in self.order[first : first + size]]
        n = sum(text.n_trained for text in batch)
        total = 0.0
        self.optimizer.zero_grad()
        for text in batch:
            labels = [
                token if on else -100 for token, on in zip(text.input_ids, text.is_trained, strict=True)
            ]
            ids = torch.tensor([text.input_ids])
            loss = self.model(input_ids=ids, labels=torch.tensor([labels])).loss * text.n_trained / n
            loss.backward()
            total += loss.item()
        return total

    def step(self, step: int) -> float:
        loss = self.backward(step)
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_NORM)
        self.optimizer.step()
        return loss

    def matrices(self, kind: str) -> list[torch.Tensor]:
        return [p.detach() for name, p in self.model.named_parameters() if f"lora_{kind}" in name]


def hash_of(model: Any) -> str:
    digest = sha256()
    for parameter in model.parameters():
        digest.update(parameter.detach().numpy().tobytes())
    return digest.hexdigest()


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.2}))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_losses_gradients_and_steps_are_pefts(
    tiny_settings: Settings, tiny_engine: LocalEngine, model: str
) -> None:
    request = run_of(3, model)
    ours, expected = slot_of(tiny_engine, request), PeftRun(tiny_settings, request)
    bank = AdapterBank(ours[0], [ours[1]], lambda: None)
    for step in range(request.settings.n_steps):
        [loss] = bank.step([batches(request, step)])
        assert loss == pytest.approx(expected.step(step), abs=1e-5)
        bank.unpack(0)
        changes = ours[1].changes().values()
        for mine, theirs in zip((one.A for one in changes), expected.matrices("A"), strict=True):
            torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)
        for mine, theirs in zip((one.B for one in changes), expected.matrices("B"), strict=True):
            torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)


def test_gradients_of_one_slot_are_pefts(tiny_settings: Settings, tiny_engine: LocalEngine) -> None:
    request = run_of(5)
    (loaded, slot), expected = slot_of(tiny_engine, request), PeftRun(tiny_settings, request)
    expected.backward(0)
    bank = AdapterBank(loaded, [slot], lambda: None)
    bank._update = lambda: torch.tensor([True])  # type: ignore[method-assign]
    bank.step([batches(request, 0)])
    theirs = {name: p.grad for name, p in expected.model.named_parameters() if p.grad is not None}
    for (path, matrix), leaf in bank.leaves.items():
        assert leaf.grad is not None
        name = f"base_model.model.{path}.lora_{matrix}.default.weight"
        torch.testing.assert_close(leaf.grad[0], theirs[name], atol=1e-5, rtol=1e-4)


def test_fused_slots_are_separate_runs(tiny_engine: LocalEngine) -> None:
    requests = [
        run_of(1),
        run_of(2, r=2, learning_rate=3e-3),
        run_of(3, target_modules=("q_proj",), batch_size=2),
        run_of(4, lora_dropout=0.3, lora_alpha=2.0),
    ]
    fused = [slot_of(tiny_engine, one) for one in requests]
    together = AdapterBank(fused[0][0], [slot for _loaded, slot in fused], lambda: None)
    alone = [slot_of(tiny_engine, one) for one in requests]
    banks = [AdapterBank(loaded, [slot], lambda: None) for loaded, slot in alone]
    for step in range(4):
        losses = together.step([batches(one, step) for one in requests])
        for bank, request, loss in zip(banks, requests, losses, strict=True):
            assert bank.step([batches(request, step)])[0] == pytest.approx(loss, abs=1e-5)
    for index, ((_, mine), (_, own), bank) in enumerate(zip(fused, alone, banks, strict=True)):
        together.unpack(index)
        bank.unpack(0)
        for key, value in own.values.items():
            torch.testing.assert_close(mine.values[key], value, atol=1e-5, rtol=1e-4)


def test_operations_of_a_step_do_not_grow_with_the_slots(tiny_engine: LocalEngine) -> None:
    counts = []
    for n in (1, 4):
        requests = [run_of(seed) for seed in range(n)]
        slots = [slot_of(tiny_engine, one) for one in requests]
        bank = AdapterBank(slots[0][0], [slot for _loaded, slot in slots], lambda: None)
        bank.step([batches(one, 0) for one in requests])
        with CountOperations() as counted:
            bank.step([batches(one, 1) for one in requests])
        counts.append(counted.count)
    assert counts[0] == counts[1]


def test_a_slot_that_breaks_down_touches_no_other(tiny_engine: LocalEngine) -> None:
    good, bad = run_of(1), run_of(2)
    slots = [slot_of(tiny_engine, one)[1] for one in (good, bad)]
    loaded, alone = slot_of(tiny_engine, good)
    slots[1].values[next(iter(slots[1].values))].fill_(math.nan)
    together, single = AdapterBank(loaded, slots, lambda: None), AdapterBank(loaded, [alone], lambda: None)
    for step in range(3):
        losses = together.step([batches(good, step), batches(bad, step)])
        assert losses[0] == pytest.approx(single.step([batches(good, step)])[0], abs=1e-5)
        assert math.isnan(losses[1])


def test_step_0_and_strength_0_are_the_base_exactly(engine: LocalEngine) -> None:
    request = run_of(1, owner="me")
    engine.training.runs.start(request)
    state = wait(engine, request)
    asked = TraceRequest(tiny.LLAMA, input_ids=(5, 6, 7, 8), capture=Capture(logits="all"))
    base = engine.trace(asked).logits
    assert base is not None
    none = engine.trace(replace(asked, model=f"{state.adapter}@0")).logits
    np.testing.assert_array_equal(none, base)
    full = engine.trace(replace(asked, model=state.adapter)).logits
    assert full is not None
    assert np.abs(full - base).max() > 1e-3
    loaded, slot = slot_of(engine, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    n = sum(text.n_trained for text in request.held_out)
    assert state.held_out[0] == (0, pytest.approx(sum(bank.measure(0, request.held_out)) / n))


def test_a_class_that_trains_on_one_set_tests_the_base_once(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[int] = []
    original = AdapterBank.measure
    monkeypatch.setattr(
        AdapterBank,
        "measure",
        lambda self, *asked: (tested.append(len(asked[1])), original(self, *asked))[1],
    )
    same = {"held_out": texts(3, 1), "general": texts(2, 2), "prompts": ((5, 6, 7), (8, 9)), "n_steps": 2}
    first = run_of(1, owner="first", **same)
    engine.training.runs.start(first)
    wait_written(engine, first)
    assert tested == [5, 5], "before the first step and after the last"
    for changes, n_tests in (({}, 1), ({"held_out": texts(3, 3)}, 2), ({"prompts": ((5, 6),)}, 2)):
        tested.clear()
        other = run_of(2, owner=f"other {changes}", **(same | changes))
        engine.training.runs.start(other)
        state, known = wait_written(engine, other), wait_written(engine, first)
        assert len(tested) == n_tests, changes
        assert [step for step, _loss in state.held_out] == [0, 2]
        assert [step for step, _loss in state.general] == [0, 2]
        if not changes:
            assert (state.held_out[0], state.general[0]) == (known.held_out[0], known.general[0])
            assert tuple(one for one in state.samples if one.step == 0) == known.samples[:2]


def test_merged_is_unmerged(engine: LocalEngine) -> None:
    request = run_of(1, owner="me")
    engine.training.runs.start(request)
    state = wait(engine, request)
    loaded = engine.adapters.load(tiny.LLAMA).result()
    merged = oracle(engine._settings, tiny.LLAMA)
    import copy

    merged = copy.deepcopy(merged)
    adapter = engine.adapters.get(state.adapter)
    for path, change in adapter.changes.items():
        assert change.A is not None
        delta = delta_weight(change.A.numpy(), change.B.numpy(), adapter.lora.lora_alpha)
        merged.get_submodule(path).weight.data += torch.from_numpy(delta)
    ids = (5, 6, 7, 8, 9)
    ours = engine.trace(TraceRequest(state.adapter, input_ids=ids, capture=Capture(logits="all"))).logits
    with torch.no_grad():
        theirs = merged(torch.tensor([ids])).logits[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert loaded.info.adapter == ""


def test_base_weights_never_change(engine: LocalEngine) -> None:
    loaded = engine.adapters.load(tiny.LLAMA).result()
    before = hash_of(loaded.model)
    done, cancelled, broken = (
        run_of(1, owner="a"),
        run_of(2, owner="b", n_steps=200),
        run_of(3, owner="c", learning_rate=100.0, n_steps=150),
    )
    for one in (done, cancelled, broken):
        engine.training.runs.start(one)
    time.sleep(0.1)
    engine.training.runs.cancel(cancelled.request_id)
    for one in (done, cancelled, broken):
        wait(engine, one)
    assert hash_of(loaded.model) == before == hash_of(loaded.template)
    assert not any(
        parameter.requires_grad or parameter.grad is not None for parameter in loaded.model.parameters()
    )


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_decoding_with_an_adapter_is_its_forward(engine: LocalEngine, model: str) -> None:
    request = run_of(1, model, owner="me")
    engine.training.runs.start(request)
    state = wait(engine, request)
    prompt = (5, 6, 7, 8)
    steps = list(
        engine.generate(GenerateRequest(state.adapter, sampling=GREEDY, input_ids=prompt, max_new_tokens=6))
    )
    ids = list(prompt)
    for step in steps:
        logits = engine.trace(
            TraceRequest(state.adapter, input_ids=tuple(ids), capture=Capture(logits="last"))
        ).logits
        assert logits is not None
        assert int(logits[0].argmax()) == step.token_id
        ids.append(step.token_id)


def test_held_out_texts_are_never_trained_on(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Sequence[Sequence[TrainingText]]] = []
    original = AdapterBank.step
    monkeypatch.setattr(
        AdapterBank, "step", lambda self, batch: (read.append(batch), original(self, batch))[1]
    )
    request = run_of(1, owner="me", n_steps=12)
    engine.training.runs.start(request)
    wait(engine, request)
    seen = {text.input_ids for each in read for batch in each for text in batch}
    assert seen == {text.input_ids for text in request.train}
    assert not seen & {text.input_ids for text in request.held_out}
