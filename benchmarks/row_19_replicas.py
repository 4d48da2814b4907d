"""Row 19: two replicas of one thread against one engine of one thread: mixed requests, a call, a kill."""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from playground.core.sampling import Sampling
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.remote.engine import RayEngine
from playground.settings import Settings

ROUNDS, READERS, CALLS = 3, 8, 100
ASKED_S = 15.0  # after the kill


def run() -> list[dict[str, Any]]:
    """Requests a second, milliseconds that a call costs, seconds until the slowest reader has an answer."""
    settings = Settings(torch_threads=1)
    with (
        closing(LocalEngine(settings)) as one,
        closing(RayEngine(settings.model_copy(update={"engine": "ray", "replicas": 2}))) as two,
    ):
        while not all(seat.is_here for seat in two._seats.all):
            time.sleep(0.2)
        engines: tuple[tuple[str, Engine], ...] = (("one", one), ("two", two))
        times: dict[str, list[float]] = {"one": [], "two": []}
        for number in range(-1, ROUNDS):
            for name, engine in engines if number % 2 else engines[::-1]:
                seconds = _round(engine, settings.default_model, f"{name} {number}")
                if number >= 0:  # the first one warms up
                    times[name].append(seconds)
        calls = {name: _call_ms(engine, settings.default_model) for name, engine in engines}
        longest_s, n_failed = _killed(two, settings.default_model)
    rate = {name: 4 * READERS / min(seconds) for name, seconds in times.items()}
    on_top = calls["two"] - calls["one"]
    return [
        _row("mixed requests", rate["two"], rate["one"], "a second", 1.7, rate["two"] >= 1.7 * rate["one"]),
        _row("a known answer", calls["two"], calls["one"], "ms", 10, on_top <= 10),
        _row("longest wait, one replica killed", longest_s, 0.0, "s", 10, longest_s <= 10 and not n_failed),
    ]


def _row(metric: str, ours: float, peer: float, unit: str, target: float, ok: bool) -> dict[str, Any]:
    return {
        "row": 19,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": "one engine in one process",
        "unit": unit,
        "ratio": ours / peer if peer else None,
        "target": target,
        "limit": None,
        "ok": ok,
    }


def _at_once(works: Sequence[Callable[[], object]]) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()
    return time.perf_counter() - begun


def _round(engine: Engine, model: str, new: str) -> float:
    """Seconds until every reader has a trace, a column of the lens, eight tokens and two scores."""

    def reader(number: int) -> None:
        owner = f"{new} {number}"
        text = f"{owner}: the leaves of the old tree fall into the river and"
        engine.trace(TraceRequest(model, text, Capture(logits="last"), owner=owner))
        engine.inside.lens(LensRequest(model, text, position=3, owner=owner))
        asked = GenerateRequest(
            model, text, sampling=Sampling(temperature=0.8), max_new_tokens=8, owner=owner
        )
        list(engine.generate(asked))
        list(engine.score(ScoreRequest(model, (text,), ((" swim", " sink"),), owner=owner)))

    return _at_once([lambda number=number: reader(number) for number in range(READERS)])  # type: ignore[misc]


def _call_ms(engine: Engine, model: str) -> float:
    """Median milliseconds of a trace that is known."""
    asked = TraceRequest(model, "known already", Capture(logits="last"))
    engine.trace(asked)
    times = []
    for _number in range(CALLS):
        begun = time.perf_counter()
        engine.trace(asked)
        times.append(time.perf_counter() - begun)
    return 1000 * statistics.median(times)


def _killed(engine: RayEngine, model: str) -> tuple[float, int]:
    """(longest wait of eight readers who ask while a replica is killed, how many of them got no answer)."""
    end = time.monotonic() + ASKED_S
    waits: list[float] = []
    failed: list[Exception] = []

    def reader(number: int) -> None:
        asked = 0
        while time.monotonic() < end:
            begun = time.monotonic()
            try:
                engine.trace(TraceRequest(model, f"killed {number} {asked}", Capture(logits="last")))
            except Exception as error:  # noqa: BLE001  (counted)
                failed.append(error)
            waits.append(time.monotonic() - begun)
            asked += 1

    process = engine._seats.all[0].asked("pid")
    threading.Timer(1.0, os.kill, (process, signal.SIGKILL)).start()
    _at_once([lambda number=number: reader(number) for number in range(8)])  # type: ignore[misc]
    return max(waits), len(failed)
