"""Fused training against peft, and what a run may and may not do."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import numpy as np
import peft
import psutil
import pytest
import torch

from playground.core.files.training_rows import TrainingRow, pairs
from playground.core.lora import LoraConfig, delta_weight
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.adapters.layers import targets
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import (
    ENDED,
    FinetuneRequest,
    FinetuneSettings,
    TrainingState,
    TrainingText,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training import objectives
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import EPS, MAX_NORM, AdapterBank
from playground.engine.training.run import text_order
from playground.errors import (
    BadValue,
    Cancelled,
    Diverged,
    EmptyText,
    OutOfMemory,
    TooManyAdapters,
    TooManyRuns,
    TooManyTokens,
)
from playground.paths import site_root
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.decoding.test_llama_step import CountOperations

LLAMA_MODULES, GPT2_MODULES = ("q_proj", "v_proj", "down_proj"), ("c_attn", "c_fc")


def texts(n: int, seed: int, longest: int = 12, d_vocab: int = 300) -> tuple[TrainingText, ...]:
    """Texts of different lengths, their second half trained."""
    random = np.random.default_rng(seed)
    made = []
    for length in random.integers(4, longest, n):
        ids = tuple(int(one) for one in random.integers(2, d_vocab, length))
        made.append(TrainingText(ids, tuple(place >= length // 2 for place in range(length))))
    return tuple(made)


def run_of(number: int, model: str = tiny.LLAMA, **changes: Any) -> FinetuneRequest:
    """A run; changes of its data, of its settings or of those of LoRA."""
    chosen: dict[str, Any] = {
        "target_modules": LLAMA_MODULES if model == tiny.LLAMA else GPT2_MODULES, "seed": number,
        "train": texts(7, number), "held_out": texts(3, 100 + number), "name": f"run {number}",
        "n_steps": 6, "learning_rate": 1e-2, "r": 4, "lora_alpha": 8.0, "batch_size": 3, "model": model,
    }  # fmt: skip
    chosen |= changes

    def part(kind: type) -> dict[str, Any]:
        return {one.name: chosen.pop(one.name) for one in fields(kind) if one.name in chosen}

    lora = LoraConfig(**part(LoraConfig))
    return FinetuneRequest(FinetuneSettings(lora=lora, **part(FinetuneSettings)), **chosen)


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


def slot_of(engine: LocalEngine, request: FinetuneRequest) -> tuple[Any, AdapterSlot]:
    asked = request.settings
    loaded = engine.adapters.load(asked.model).result(timeout=60)
    layers = targets(loaded.template, asked.lora.target_modules, asked.method)
    return loaded, AdapterSlot(request, loaded, layers)


def batches(request: FinetuneRequest, step: int) -> list[TrainingText]:
    asked, size = request.settings, request.settings.batch_size
    order = text_order(len(request.train), asked.n_steps * size, asked.seed)
    return [request.train[i] for i in order[step * size : (step + 1) * size]]


def wait(engine: LocalEngine, request: FinetuneRequest, timeout_s: float = 60) -> TrainingState:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        if state.status in ENDED:
            return state
        time.sleep(0.01)
    raise AssertionError("the run did not end")


def trained(engine: LocalEngine, request: FinetuneRequest) -> TrainingState:
    """The end of a run of its own."""
    engine.training.runs.start(request)
    return wait(engine, request)


def wait_written(engine: LocalEngine, request: FinetuneRequest) -> TrainingState:
    """Its end, every prompt continued."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = wait(engine, request)
        if all(one.status == "whole" for one in state.samples):
            return state
        time.sleep(0.01)
    raise AssertionError("the prompts were not continued")


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


def test_pause_keeps_everything_and_resume_ends_as_if_never_paused(engine: LocalEngine) -> None:
    plain, paused = (
        run_of(1, owner="a", n_steps=30, keep_best=False),
        run_of(1, owner="b", n_steps=30, keep_best=False),
    )
    engine.training.runs.start(plain)
    expected = wait(engine, plain)
    engine.training.runs.start(paused)
    while (state := engine.training.runs.state(paused.request_id, "b")) and not state.step:
        time.sleep(0.001)
    engine.training.runs.pause(paused.request_id)
    time.sleep(0.2)
    resting = engine.training.runs.state(paused.request_id, "b")
    assert resting is not None
    assert resting.status == "paused"
    assert 0 < resting.step < 30
    assert engine.stats().n_training == 0
    engine.training.runs.resume(paused.request_id)
    done = wait(engine, paused)
    np.testing.assert_allclose(
        [loss for _, loss in done.train], [loss for _, loss in expected.train], atol=1e-6
    )


def test_cancel_frees_the_slot_and_keeps_what_was_learned(engine: LocalEngine) -> None:
    request = run_of(1, owner="me", n_steps=200, keep_best=False)
    engine.training.runs.start(request)
    while (state := engine.training.runs.state(request.request_id, "me")) and state.step < 3:
        time.sleep(0.001)
    engine.training.runs.cancel(request.request_id)
    until = time.monotonic() + 5
    while engine.stats().n_training and time.monotonic() < until:
        time.sleep(0.005)
    state = engine.training.runs.state(request.request_id, "me")
    assert state is not None
    assert state.status == "cancelled"
    assert state.adapter
    assert state.adapter_step == state.step < 200
    assert engine.stats().n_training == 0


@pytest.mark.real
def test_a_learning_rate_that_breaks_down_says_so_and_touches_nobody(real_engine: LocalEngine) -> None:
    model = real_engine._settings.default_model
    chosen = {"model": model, "target_modules": ("q_proj", "v_proj"), "batch_size": 2, "n_steps": 12}
    hot = run_of(1, owner="hot", learning_rate=10.0, **chosen)
    fine = run_of(2, owner="fine", learning_rate=1e-3, **chosen)
    real_engine.training.runs.start(hot)
    real_engine.training.runs.start(fine)
    state, other = wait(real_engine, hot), wait(real_engine, fine)
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.msgid == Diverged.msgid
    assert str(state.error).startswith("The training failed at step")
    assert other.status == "done"
    assert other.train[-1][1] < other.train[0][1]
    assert not real_engine.adapters.of("hot")
    for owner in ("hot", "fine"):
        real_engine.cancel_owner(owner)


def test_a_closed_tab_frees_slots_and_after_a_while_memory(engine: LocalEngine) -> None:
    first = run_of(1, owner="me")
    engine.training.runs.start(first)
    adapter = wait(engine, first).adapter
    engine.training.runs.start(run_of(2, owner="me", n_steps=200))
    time.sleep(0.05)
    engine.cancel_owner("me")
    until = time.monotonic() + 5
    while (engine.stats().n_training or engine.stats().adapter_bytes) and time.monotonic() < until:
        time.sleep(0.02)
    assert engine.stats().n_training == 0
    assert engine.stats().adapter_bytes == 0
    assert not engine.training.runs.of("me")
    assert not engine.adapters.of("me")
    assert not engine.adapters.belongs(adapter, "you")


def test_an_adapter_is_its_sessions_alone_until_that_ends(engine: LocalEngine) -> None:
    request = run_of(1, owner="me")
    engine.training.runs.start(request)
    adapter = wait(engine, request).adapter
    assert engine.adapters.belongs(adapter, "me")
    assert not engine.adapters.belongs(adapter, "you")
    engine.cancel_owner("me")
    assert engine.adapters.belongs(adapter, "you"), "a reload is a new session that knows the id"
    time.sleep(0.4)
    assert [one.model_id for one in engine.adapters.of("you")] == [adapter]


def test_the_line_is_fair_and_bounded(engine: LocalEngine) -> None:
    for seed in range(3):
        engine.training.runs.start(run_of(seed, owner="greedy", n_steps=200))
    with pytest.raises(TooManyRuns):
        engine.training.runs.start(run_of(9, owner="greedy"))
    for seed in range(3):
        engine.training.runs.start(run_of(seed, owner="second", n_steps=200))
    last = run_of(7, owner="third", n_steps=2)
    engine.training.runs.start(last)
    until = time.monotonic() + 30
    while all(state.status == "waiting" for state in engine.training.runs.of("second")):
        assert time.monotonic() < until
        time.sleep(0.01)
    states = engine.training.runs.of("greedy") + engine.training.runs.of("second")
    assert engine.stats().n_training <= 4
    places = [state.position for state in states if state.status == "waiting"]
    mine = engine.training.runs.state(last.request_id, "third")
    assert mine is not None
    assert mine.status != "waiting" or mine.position < min(places)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"n_steps": 0}, BadValue), ({"n_steps": 10**6}, BadValue), ({"learning_rate": math.nan}, BadValue),
        ({"r": 0}, BadValue), ({"r": 33}, BadValue), ({"lora_alpha": math.inf}, BadValue),
        ({"lora_dropout": 1.0}, BadValue), ({"batch_size": 0}, BadValue), ({"seed": -1}, BadValue),
        ({"prompts": (tuple(range(2, 150)),)}, TooManyTokens), ({"prompts": ((10**6,),)}, BadValue),
        ({"target_modules": ()}, BadValue), ({"target_modules": ("nonsense",)}, BadValue),
        ({"method": "magic"}, BadValue), ({"train": ()}, BadValue), ({"prompts": ((),)}, EmptyText),
        ({"train": (TrainingText((5, 6), (False, False)),)}, EmptyText),
        ({"train": (TrainingText(tuple(range(2, 200)), (True,) * 198),)}, TooManyTokens),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    tiny_engine: LocalEngine, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        tiny_engine.training.runs.start(run_of(1, owner="nobody", **changes))
    assert not tiny_engine.training.runs.of("nobody")


def test_too_many_adapters_are_refused_before_training(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"max_adapters_per_session": 1}))
    assert isinstance(engine, LocalEngine)
    request = run_of(1, owner="me")
    engine.training.runs.start(request)
    with pytest.raises(TooManyAdapters):
        engine.training.runs.start(run_of(2, owner="me"))
    adapter = wait(engine, request).adapter
    with pytest.raises(TooManyAdapters):
        engine.training.runs.start(run_of(2, owner="me"))
    engine.adapters.remove(adapter, "me")
    engine.training.runs.start(run_of(2, owner="me"))
    engine.close()


def test_full_training_of_the_last_block_changes_its_layers_only(engine: LocalEngine) -> None:
    request = run_of(1, owner="me", method="last_block", learning_rate=1e-3)
    engine.training.runs.start(request)
    state = wait(engine, request)
    changes = engine.adapters.changes(state.adapter)
    info = next(one for one in engine.models() if one.model_id == tiny.LLAMA)
    assert {change.layer for change in changes} == {info.n_layer - 1}
    assert len(changes) == 7
    assert state.train[-1][1] < state.train[0][1]


def test_loss_counts_only_where_the_mask_says(tiny_engine: LocalEngine) -> None:
    request = run_of(1)
    loaded, slot = slot_of(tiny_engine, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    text = request.train[0]
    [surprisal, other] = bank.measure(0, [text, request.train[1]])
    with torch.no_grad():
        logits = loaded.model(torch.tensor([text.input_ids])).logits[0]
    logprobs = logits.log_softmax(-1)
    expected = -sum(
        float(logprobs[place - 1, token])
        for place, (token, on) in enumerate(zip(text.input_ids, text.is_trained, strict=True))
        if on
    )
    assert surprisal == pytest.approx(expected, rel=1e-5)
    assert other == pytest.approx(bank.measure(0, [request.train[1]])[0], rel=1e-5)


@pytest.mark.real
def test_the_sets_that_come_with_the_page_are_read_whole(real_engine: LocalEngine) -> None:
    for file in (site_root() / "assets" / "training").glob("*/*.json"):
        rows = pairs(json.loads(file.read_text("utf-8"))["rows"])
        texts = real_engine.training.texts(real_engine._settings.default_model, rows)
        assert not any(text.n_cut for text in texts), file


@pytest.mark.real
def test_a_conversation_is_read_as_the_template_writes_it(real_engine: LocalEngine) -> None:
    model = real_engine._settings.default_model
    row = TrainingRow(
        (("user", "Hi there"), ("assistant", "Arr!"), ("user", "Bye"), ("assistant", "Aye, matey"))
    )
    [text] = real_engine.training.texts(model, [row])
    tokenizer = real_engine.adapters.tokenizer(model).tokenizer
    said = [{"role": role, "content": content} for role, content in row.messages]
    whole = tokenizer.apply_chat_template(said, tokenize=False)
    assert text.input_ids == tuple(tokenizer(whole, add_special_tokens=False).input_ids)
    trained = [token for token, on in zip(text.input_ids, text.is_trained, strict=True) if on]
    assert tokenizer.decode(trained) == "Arr!<|im_end|>Aye, matey<|im_end|>"


@pytest.mark.real
def test_a_plain_text_is_trained_whole_and_a_long_one_cut(real_engine: LocalEngine) -> None:
    model = real_engine._settings.default_model
    plain, long = real_engine.training.texts(
        model, [TrainingRow(text="A haiku."), TrainingRow(text="word " * 400)]
    )
    assert plain.is_trained == (False, *[True] * (len(plain.input_ids) - 1))
    assert not plain.n_cut
    limit = real_engine._settings.max_training_tokens
    assert len(long.input_ids) == limit
    assert long.n_cut > 200


def test_rows_of_one_batch_have_their_own_adapters(engine: LocalEngine) -> None:
    requests = [run_of(1, owner="me"), run_of(2, owner="me", target_modules=("q_proj", "gate_proj"))]
    for one in requests:
        engine.training.runs.start(one)
    adapters = [wait(engine, one).adapter for one in requests]
    prompt = (5, 6, 7, 8)

    def asked(model: str) -> GenerateRequest:
        return GenerateRequest(model, sampling=GREEDY, input_ids=prompt, max_new_tokens=40)

    models = [tiny.LLAMA, *adapters, f"{adapters[0]}@50"]
    alone = {model: [step.token_id for step in engine.generate(asked(model))] for model in models}
    assert len(set(map(tuple, alone.values()))) == len(models), "the adapters must make a difference"
    before = engine.stats().n_decode_steps
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: [s.token_id for s in engine.generate(asked(one))], models * 2))
    assert together == [alone[model] for model in models * 2]
    assert engine.stats().n_decode_steps - before < 4 * 40, "they shared their steps"


def test_a_session_that_comes_back_finds_its_run_resting_and_its_adapter(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings)
    assert isinstance(engine, LocalEngine)
    first, second = run_of(1, owner="me"), run_of(2, owner="me", n_steps=200)
    engine.training.runs.start(first)
    adapter = wait(engine, first).adapter
    engine.training.runs.start(second)
    engine.cancel_owner("me")
    with pytest.raises(Cancelled):
        engine.training.runs.start(run_of(3, owner="me"))
    engine.owner_back("me")
    state = engine.training.runs.state(second.request_id, "me")
    assert state is not None
    assert state.status == "paused"
    assert [one.model_id for one in engine.adapters.of("me")] == [adapter]
    engine.training.runs.resume(second.request_id)
    assert wait(engine, second).status == "done"
    engine.close()


def test_a_pause_within_the_last_step_comes_too_late(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = run_of(1, owner="me", n_steps=3)
    step = AdapterBank.step

    def paused_meanwhile(bank: AdapterBank, batches: Any) -> list[float]:
        state = engine.training.runs.state(request.request_id, "me")
        if state is not None and state.step == 2:
            engine.training.runs.pause(request.request_id)
        return step(bank, batches)

    monkeypatch.setattr(AdapterBank, "step", paused_meanwhile)
    engine.training.runs.start(request)
    state = wait(engine, request)
    assert state.status == "done"
    assert state.adapter


def test_sessions_that_leave_while_others_ask_stop_nobody(engine: LocalEngine) -> None:
    """Leaving takes the lock of the runs and wakes the scheduler, which asks for the runs under its own."""

    def come_and_go(number: int) -> None:
        for round_ in range(15):
            owner = f"tab {number}.{round_}"
            engine.training.runs.start(run_of(number, owner=owner, n_steps=50, prompts=((5, 6, 7),)))
            engine.cancel_owner(owner)

    def ask(number: int) -> None:
        for round_ in range(40):
            engine.trace(
                TraceRequest(
                    tiny.LLAMA, input_ids=(5, 6, number + 2, round_ + 2), capture=Capture(logits="last")
                )
            )

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(work, number) for number in range(4) for work in (come_and_go, ask)]
        for job in jobs:
            job.result(timeout=60)


def test_an_ended_run_keeps_no_weights(engine: LocalEngine) -> None:
    request = run_of(1, owner="me")
    engine.training.runs.start(request)
    wait(engine, request)
    run = engine.training.runs._runs[request.request_id]
    assert not run.slot.values
    assert not run.slot.first
    assert run.best is None


def test_a_bank_that_cannot_be_made_ends_its_runs_not_the_engine(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(objectives, "AdapterBank", no_room)
        request = run_of(1, owner="me")
        engine.training.runs.start(request)
        assert wait(engine, request).error == OutOfMemory().message
    other = run_of(2, owner="me")
    engine.training.runs.start(other)
    assert wait(engine, other).status == "done"


def test_other_number_formats_train_and_write(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"dtype": "bfloat16"}))
    assert isinstance(engine, LocalEngine)
    request = run_of(1, owner="me", prompts=((5, 6, 7),))
    engine.training.runs.start(request)
    state = wait(engine, request)
    assert state.status == "done", state.error
    asked = GenerateRequest(state.adapter, sampling=GREEDY, input_ids=(5, 6, 7), max_new_tokens=5)
    assert len(list(engine.generate(asked))) == 5
    engine.close()


def test_nobody_overtakes_a_run_that_needs_more_room(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"max_fused_tokens": 100}))
    assert isinstance(engine, LocalEngine)
    long = texts(7, 1, longest=40)
    first = run_of(1, owner="a", n_steps=60)
    large = run_of(2, owner="b", n_steps=5, train=long, batch_size=4)
    engine.training.runs.start(first)
    engine.training.runs.start(large)
    later = [run_of(number, owner=f"c{number}", n_steps=60) for number in range(3, 6)]
    for one in later:
        engine.training.runs.start(one)
    wait(engine, large)
    assert all(
        (state := engine.training.runs.state(one.request_id, one.owner)) and state.step < 60 for one in later
    )
    engine.close()


def test_fifty_runs_leave_nothing_behind(engine: LocalEngine) -> None:
    """Sessions that leave mid-run, one after another: no slot, no adapter, no memory that grows."""
    process = psutil.Process()
    sizes = []
    for number in range(50):
        owner = f"tab {number}"
        request = run_of(number, owner=owner, n_steps=150, r=32)
        engine.training.runs.start(request)
        until = time.monotonic() + 20
        while (state := engine.training.runs.state(request.request_id, owner)) and state.step < 2:
            assert time.monotonic() < until
            time.sleep(0.002)
        engine.cancel_owner(owner)
        if number >= 10:
            sizes.append(process.memory_info().rss)
    until = time.monotonic() + 10
    while (engine.training.runs._runs or engine.adapters.size_bytes) and time.monotonic() < until:
        time.sleep(0.02)
    assert engine.stats().n_training == 0
    assert not engine.training.runs._runs
    assert not engine.adapters._held
    assert not engine.adapters._models
    assert sizes[-1] - sizes[0] < 30e6, "each run of these has 1.4 MB of weights and moments"
