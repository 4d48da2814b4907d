"""What a run may and may not do: pause, cancel, limits, memory, sessions that leave."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pytest

from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import (
    TrainingText,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training import objectives
from playground.engine.training.bank import AdapterBank
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
from playground.settings import Settings
from tests import tiny
from tests.engine.training.learning import (
    run_of,
    texts,
    wait,
)


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.2}))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def test_pause_keeps_everything_and_resume_ends_as_if_never_paused(engine: LocalEngine) -> None:
    plain, paused = (
        run_of(1, owner="a", n_steps=30, keep_best=False),
        run_of(1, owner="b", n_steps=30, keep_best=False),
    )
    engine.training.runs.start(plain)
    expected = wait(engine, plain)
    engine.adapters.remove(expected.adapter, "a")  # so that the same is computed again
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
    assert mine.status != "waiting" or mine.position < min(places, default=mine.position + 1)


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
    run = engine.training.runs._parts[request.request_id][1]
    assert not run.slot.values
    assert not run.slot.first
    assert run.best is None


def test_a_bank_that_cannot_be_made_ends_its_runs_not_the_engine(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(objectives, "BANKS", {"lora": no_room})
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
    while (engine.training.runs._parts or engine.adapters.size_bytes) and time.monotonic() < until:
        time.sleep(0.02)
    assert engine.stats().n_training == 0
    assert not engine.training.runs._parts
    assert not engine.adapters.size_bytes
    assert not engine.adapters._models
    assert sizes[-1] - sizes[0] < 30e6, "each run of these has 1.4 MB of weights and moments"
