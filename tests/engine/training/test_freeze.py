"""Training that rests for all, by a teacher: it goes on where it was, and never rests for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from playground.engine import create_engine
from playground.engine.contract.training import FinetuneRequest, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.errors import TrainingFrozen
from playground.settings import Settings
from tests.engine.training.learning import run_of, wait


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings)
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def state_of(engine: LocalEngine, run: FinetuneRequest) -> TrainingState:
    state = engine.training.runs.state(run.request_id, run.owner)
    assert state is not None
    return state


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def started(engine: LocalEngine, run: FinetuneRequest, step: int = 1) -> FinetuneRequest:
    engine.training.runs.start(run)
    until(lambda: state_of(engine, run).step >= step)
    return run


def test_a_frozen_run_rests_at_a_step_and_ends_as_if_never_frozen(engine: LocalEngine) -> None:
    plain = run_of(1, owner="plain", n_steps=40, keep_best=False)
    engine.training.runs.start(plain)
    expected = wait(engine, plain)
    engine.adapters.remove(expected.adapter, "plain")  # so that the same is computed again
    run = started(engine, run_of(1, owner="a", n_steps=40, keep_best=False))
    engine.training.runs.freeze(600)
    until(lambda: state_of(engine, run).is_settled)
    resting = state_of(engine, run)
    assert (resting.status, resting.is_frozen) == ("paused", True)
    assert 0 < resting.step < 40
    time.sleep(0.1)
    assert state_of(engine, run).step == resting.step
    assert engine.stats().n_training == 0
    engine.training.runs.release()
    assert not state_of(engine, run).is_frozen
    done = wait(engine, run)
    np.testing.assert_allclose(
        [loss for _, loss in done.train], [loss for _, loss in expected.train], atol=1e-6
    )


def test_new_runs_are_refused_until_release(engine: LocalEngine) -> None:
    engine.training.runs.freeze(600)
    with pytest.raises(TrainingFrozen):
        engine.training.runs.start(run_of(1, owner="me"))
    assert engine.training.runs.of("me") == []
    engine.training.runs.release()
    engine.training.runs.start(run := run_of(1, owner="me"))
    assert wait(engine, run).status == "done"


def test_release_takes_up_only_what_the_freeze_stopped(engine: LocalEngine) -> None:
    own = started(engine, run_of(1, owner="own", n_steps=200))
    engine.training.runs.pause(own.request_id)
    other = started(engine, run_of(2, owner="other", n_steps=200))
    engine.training.runs.freeze(600)
    engine.training.runs.release()
    assert state_of(engine, own).status == "paused"
    assert state_of(engine, other).status in ("waiting", "running")


def test_a_click_on_go_on_in_the_freeze_counts_after_it(engine: LocalEngine) -> None:
    run = started(engine, run_of(1, owner="me", n_steps=200))
    engine.training.runs.pause(run.request_id)
    engine.training.runs.freeze(600)
    engine.training.runs.resume(run.request_id)
    assert (state_of(engine, run).status, state_of(engine, run).is_frozen) == ("paused", True)
    engine.training.runs.release()
    until(lambda: state_of(engine, run).status == "running")


def test_a_run_can_be_stopped_and_its_session_can_leave_in_the_freeze(engine: LocalEngine) -> None:
    stopped = started(engine, run_of(1, owner="a", n_steps=200))
    left = started(engine, run_of(2, owner="b", n_steps=200))
    engine.training.runs.freeze(600)
    engine.training.runs.cancel(stopped.request_id)
    engine.cancel_owner("b")
    engine.training.runs.release()
    assert state_of(engine, stopped).status == "cancelled"
    assert state_of(engine, left).status == "paused"  # a session that is back goes on by a click, as ever


def test_a_freeze_ends_by_itself_and_begins_anew_when_it_is_asked_again(engine: LocalEngine) -> None:
    run = started(engine, run_of(1, owner="me", n_steps=200))
    engine.training.runs.freeze(0.2)
    engine.training.runs.freeze(0.6)
    time.sleep(0.3)
    assert engine.training.runs.is_frozen
    assert state_of(engine, run).is_frozen
    until(lambda: not engine.training.runs.is_frozen, 2)
    until(lambda: state_of(engine, run).status == "running", 2)


def test_freeze_and_release_in_quick_turns_lose_no_run(engine: LocalEngine) -> None:
    """The trainer leaves a slot after its step: a release before that keeps no run out of the line."""
    runs = [run_of(number, owner=f"o{number}", n_steps=30) for number in range(6)]
    for run in runs:
        engine.training.runs.start(run)
    for _turn in range(60):
        engine.training.runs.freeze(600)
        engine.training.runs.release()
        time.sleep(0.001)
    assert {wait(engine, run).status for run in runs} == {"done"}
    assert {state_of(engine, run).step for run in runs} == {30}
