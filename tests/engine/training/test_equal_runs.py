"""Equal requests are one run: computed once, and each session has it as its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine import create_engine
from playground.engine.contract.training import FinetuneRequest, TrainingRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import AdapterBank
from playground.engine.training.held import Question
from playground.settings import Settings
from tests.engine.training.failing import PROMPTS, known, until
from tests.engine.training.head_runs import head_run
from tests.engine.training.learning import run_of, wait, wait_written
from tests.engine.training.pair_runs import pairs_run

N_STEPS = 20


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.2}))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


class Steps:
    """Counts the steps of every slot, and holds the engine before one of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.n, self.go, self.stands_before = 0, threading.Event(), 10**9
        self.go.set()
        step = AdapterBank.step

        def counted(bank: AdapterBank, batches: Any) -> list[float]:
            if self.n >= self.stands_before:
                assert self.go.wait(30)
            self.n += len(batches)
            return step(bank, batches)

        patch.setattr(AdapterBank, "step", counted)

    def hold(self, before: int) -> None:
        """Let the engine stand before this step."""
        self.stands_before = before
        self.go.clear()

    def release(self) -> None:
        self.stands_before = 10**9
        self.go.set()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def of_reader(number: int, **changes: Any) -> FinetuneRequest:
    """The run that every reader of a class starts, under a name of their own."""
    return run_of(1, owner=f"reader {number}", name=f"of {number}", n_steps=N_STEPS, **changes)


def start(engine: LocalEngine, *requests: TrainingRequest) -> None:
    for one in requests:
        engine.training.runs.start(one)


def numbers(engine: LocalEngine, adapter: str) -> list[torch.Tensor]:
    return [change.B for change in engine.adapters.get(adapter).changes.values()]


def test_a_class_that_trains_the_same_trains_once_and_each_has_its_own(
    engine: LocalEngine, steps: Steps
) -> None:
    readers = [of_reader(number, prompts=PROMPTS) for number in range(5)]
    steps.hold(3)
    start(engine, *readers[:3])
    until(lambda: known(engine, readers[0]).step == 3)
    start(engine, *readers[3:])
    assert known(engine, readers[4]).step == 3, "who comes late is where the others are"
    steps.release()
    ends = [wait_written(engine, one) for one in readers]
    assert steps.n == N_STEPS
    assert len({one.adapter for one in ends}) == len({one.run_id for one in ends}) == 5
    assert [one.settings.name for one in ends] == [f"of {number}" for number in range(5)]
    assert [one.n_sharing for one in ends] == [4] * 5
    assert all(one.train == ends[0].train and one.samples == ends[0].samples for one in ends)
    infos = [engine.adapters.info(one.adapter) for one in ends]
    assert [(one.name, one.run) for one in infos] == [(f"of {number}", 1) for number in range(5)]
    assert engine.stats().adapter_bytes == infos[0].size_bytes, "five ids, one memory"
    engine.adapters.remove(ends[0].adapter, "reader 0")
    assert numbers(engine, ends[1].adapter), "what one throws away the others keep"


def test_what_is_shared_is_what_a_run_alone_learns(engine: LocalEngine, tiny_settings: Settings) -> None:
    first, second = of_reader(0), of_reader(1)
    start(engine, first, second)
    shared = wait(engine, second)
    alone = create_engine(tiny_settings)
    assert isinstance(alone, LocalEngine)
    start(alone, second)
    ended = wait(alone, second)
    np.testing.assert_allclose(
        [loss for _, loss in shared.train], [loss for _, loss in ended.train], atol=1e-6
    )
    for mine, theirs in zip(numbers(engine, shared.adapter), numbers(alone, ended.adapter), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
    alone.close()


def test_what_one_pauses_goes_on_for_the_other_and_is_taken_up_where_it_is(
    engine: LocalEngine, steps: Steps
) -> None:
    first, second = of_reader(0), of_reader(1)
    steps.hold(4)
    start(engine, first, second)
    until(lambda: known(engine, first).step == 4)
    engine.training.runs.pause(first.request_id)
    steps.hold(9)
    steps.go.set()
    until(lambda: known(engine, second).step >= 9)
    resting, going = known(engine, first), known(engine, second)
    assert (resting.status, resting.step, resting.n_sharing) == ("paused", 4, 1)
    assert (going.status, going.n_sharing) == ("running", 0)
    engine.training.runs.resume(first.request_id)
    assert known(engine, first).step >= 9
    steps.release()
    assert wait(engine, first).train == wait(engine, second).train
    assert steps.n == N_STEPS


def test_a_run_rests_when_all_let_it_rest_and_goes_on_for_one(engine: LocalEngine, steps: Steps) -> None:
    first, second = of_reader(0), of_reader(1)
    steps.hold(4)
    start(engine, first, second)
    until(lambda: known(engine, first).step == 4)
    for one in (first, second):
        engine.training.runs.pause(one.request_id)
    steps.release()
    until(lambda: engine.stats().n_training == 0)
    n = steps.n
    assert n < N_STEPS
    third = of_reader(2)
    start(engine, third)
    assert wait(engine, third).status == "done"
    assert steps.n == N_STEPS, "it went on where it rested"
    ends = [wait(engine, one) for one in (first, second)]
    assert [one.status for one in ends] == ["done", "done"], "who let it rest has its end too"
    assert all(engine.adapters.belongs(one.adapter, f"reader {number}") for number, one in enumerate(ends))


def test_what_one_stops_is_theirs_as_it_was_and_goes_on_for_the_other(
    engine: LocalEngine, steps: Steps
) -> None:
    first, second = of_reader(0, keep_best=False), of_reader(1, keep_best=False)
    steps.hold(4)
    start(engine, first, second)
    until(lambda: known(engine, first).step == 4)
    engine.training.runs.cancel(first.request_id)
    assert known(engine, first).status == "cancelled"
    assert not known(engine, first).is_settled
    steps.release()
    until(lambda: known(engine, first).is_settled)
    stopped, ended = known(engine, first), wait(engine, second)
    assert (stopped.status, ended.status) == ("cancelled", "done")
    assert 4 <= stopped.adapter_step <= 5 < ended.adapter_step == N_STEPS
    one, other = numbers(engine, stopped.adapter), numbers(engine, ended.adapter)
    assert not any(torch.equal(*pair) for pair in zip(one, other, strict=True))
    assert engine.adapters.belongs(stopped.adapter, "reader 0")
    assert not engine.adapters.belongs(stopped.adapter, "reader 1")


def test_a_tab_that_closes_touches_nobody_else(engine: LocalEngine, steps: Steps) -> None:
    first, second = of_reader(0, prompts=PROMPTS), of_reader(1, prompts=PROMPTS)
    steps.hold(4)
    start(engine, first, second)
    until(lambda: known(engine, first).step == 4)
    engine.cancel_owner("reader 0")
    steps.release()
    ended = wait_written(engine, second)
    assert (ended.status, steps.n) == ("done", N_STEPS)
    assert {one.status for one in ended.samples} == {"whole"}
    until(lambda: not engine.training.runs.of("reader 0"))
    assert numbers(engine, ended.adapter)


def test_what_has_been_trained_is_given_again_while_anybody_has_it(engine: LocalEngine, steps: Steps) -> None:
    first, second, third = of_reader(0), of_reader(1), of_reader(2)
    start(engine, first)
    before = wait(engine, first)
    start(engine, second)
    found = known(engine, second)
    assert (found.status, found.is_known, found.train) == ("done", True, before.train)
    assert not known(engine, first).is_known
    assert steps.n == N_STEPS
    assert engine.adapters.belongs(found.adapter, "reader 1")
    for owner, state in (("reader 0", before), ("reader 1", found)):
        engine.adapters.remove(state.adapter, owner)
    start(engine, third)
    assert not wait(engine, third).is_known
    assert steps.n == 2 * N_STEPS


def test_a_run_that_was_stopped_is_not_what_was_asked_for(engine: LocalEngine, steps: Steps) -> None:
    first, second = of_reader(0), of_reader(1)
    steps.hold(4)
    start(engine, first)
    until(lambda: known(engine, first).step == 4)
    engine.training.runs.cancel(first.request_id)
    steps.release()
    start(engine, second)
    ended = wait(engine, second)
    assert (ended.status, ended.step, ended.is_known) == ("done", N_STEPS, False)


DIFFERENT: dict[str, Callable[[FinetuneRequest], FinetuneRequest]] = {
    "seed": lambda one: replace(one, settings=replace(one.settings, seed=2)),
    "rate": lambda one: replace(one, settings=replace(one.settings, learning_rate=0.5)),
    "steps": lambda one: replace(one, settings=replace(one.settings, n_steps=N_STEPS - 1)),
    "rank": lambda one: replace(one, settings=replace(one.settings, lora=replace(one.settings.lora, r=2))),
    "rows": lambda one: replace(one, train=one.train[1:]),
    "order of the rows": lambda one: replace(one, train=one.train[::-1]),
    "held-out": lambda one: replace(one, held_out=one.held_out[1:]),
    "prompts": lambda one: replace(one, prompts=PROMPTS),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_whatever_changes_the_result_is_another_question(what: str) -> None:
    one = of_reader(0)
    assert Question(one) == Question(of_reader(1))
    assert hash(Question(one)) == hash(Question(of_reader(1)))
    assert Question(one) != Question(DIFFERENT[what](of_reader(0)))


@pytest.mark.parametrize("make", [pairs_run, head_run])
def test_networks_and_heads_are_shared_alike(tiny_engine: LocalEngine, make: Callable[..., Any]) -> None:
    first, second = make(1, owner="first equal"), make(1, owner="second equal")
    start(tiny_engine, first, second)
    ends = [wait(tiny_engine, one) for one in (first, second)]
    assert ends[0].train == ends[1].train
    assert ends[0].adapter != ends[1].adapter
    assert [one.n_sharing + one.is_known for one in ends] in ([1, 1], [0, 1])
