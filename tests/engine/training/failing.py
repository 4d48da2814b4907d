"""States and texts of runs that fail."""

from __future__ import annotations

import time
from collections.abc import Callable

from playground.engine.contract.training import FinetuneRequest, TrainingState
from playground.engine.local.engine import LocalEngine

PROMPTS = ((5, 6, 7), (8, 9))


def known(engine: LocalEngine, request: FinetuneRequest) -> TrainingState:
    state = engine.training.runs.state(request.request_id, request.owner)
    assert state is not None
    return state


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)
