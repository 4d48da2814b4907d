"""The engine as all sessions share it: its counters, and training that rests for everybody."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from playground.engine.contract.engine import EngineStats
from playground.errors import PlaygroundError
from playground.ui import compute
from playground.ui.state import connected

_turn = Lock()


def n_sessions() -> int:
    """Number of connected sessions that have seen a page."""
    return len(connected)


def stats() -> EngineStats:
    """Counters and gauges of the engine, zeros while it starts."""
    engine = compute.running_engine()
    return engine.stats() if engine is not None else EngineStats()


def rest_training(is_frozen: bool, seconds: float) -> None:
    """Have training rest or go on, as the class says now.

    Args:
        is_frozen: True if it rests.
        seconds: Time after which it goes on by itself, unless this is called again.
    """
    with suppress(PlaygroundError), _turn:
        engine = compute.running_engine()
        if engine is None:
            return
        runs = engine.training.runs
        if is_frozen:
            runs.freeze(seconds)
        elif runs.is_frozen:
            runs.release()
