"""The model thread meets what no request has caught: it begins anew, and nobody waits for a time-out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.local.model_thread import ModelThread
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.training.run import FAILED
from playground.engine.training.trainer import Trainer
from playground.errors import NotComputed, OutOfMemory
from playground.settings import Settings
from tests import tiny
from tests.engine.local.faulty import Place, failing, is_empty, named
from tests.engine.training.learning import run_of, trained

TIMEOUT_S = 60.0
AT_ONCE_S = 20.0  # on a machine that does much else


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"cache_bytes": 0}))
    assert isinstance(made, LocalEngine)
    traced(made)
    yield made
    assert made._thread.is_alive()
    made.close()
    assert not made._thread.is_alive()


def traced(engine: LocalEngine) -> bool:
    """True if the trace came, False if one of our sentences did."""
    asked = TraceRequest(tiny.LLAMA, "the cat sat", Capture(logits="last"), timeout_s=TIMEOUT_S)
    try:
        return engine.trace(asked).logits is not None
    except (NotComputed, OutOfMemory):
        return False


PLACES: tuple[Place, ...] = (
    (Scheduler, "wait", lambda *_args: None),
    (ModelThread, "_is_asked", lambda *_args: None),
    (ModelThread, "_has_work", lambda *_args: None),
    (ModelThread, "_turn", lambda *_args: None),
    (ModelThread, "_tick", lambda *_args: None),
)


@pytest.mark.parametrize("kind", [SystemExit, MemoryError])
@pytest.mark.parametrize("place", PLACES, ids=named)
def test_what_nobody_catches_keeps_no_caller_waiting(
    engine: LocalEngine, place: Place, kind: type[BaseException]
) -> None:
    errors, started = [kind("a test's")] * 3, time.monotonic()
    with failing(place, lambda *_args, **_more: errors.pop() if errors else None):
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(traced, engine) for _number in range(4)]
            for one in asked:
                one.result()
        while errors:
            traced(engine)
    assert time.monotonic() - started < AT_ONCE_S
    assert traced(engine)
    assert engine.stats().n_restarts == 3
    assert is_empty(engine)


def test_training_that_fails_outside_its_steps_is_said_and_the_next_run_trains(engine: LocalEngine) -> None:
    errors = iter([SystemExit("a test's")])
    place: Place = (Trainer, "_leave_and_join", lambda *_args: None)
    with failing(place, lambda *_args: next(errors, None)):
        state = trained(engine, run_of(1, n_steps=2))
    assert (state.status, state.error) == ("failed", FAILED)
    assert trained(engine, run_of(2, n_steps=2)).status == "done"
    assert traced(engine)
