"""Row 1: a slider moves, the distribution follows; against transformers' processors on the same logits."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from playground.core.ranking import rank
from playground.core.sampling import Sampling, distribution
from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.settings import Settings

TEXT = "Once upon a time, in a village by the sea,"
ROUNDS = 32
MOVES, PEER_MOVES = 400, 10  # of the slider in one round
START = {"temperature": 0.8, "top_k": 0, "top_p": 0.9, "min_p": 0.0}
SLIDERS: dict[str, tuple[Iterator[float], float]] = {
    # values that never repeat soon, so that no cache of the last one answers; target ratio
    "temperature": (itertools.cycle(np.linspace(0.3, 1.5, 997).tolist()), 15),
    "top_k": (itertools.cycle(range(1, 200)), 500),
    "top_p": (itertools.cycle(np.linspace(0.05, 0.95, 997).tolist()), 500),
    "min_p": (itertools.cycle(np.linspace(0.01, 0.5, 997).tolist()), 500),
}


def run() -> list[dict[str, Any]]:
    """Milliseconds of one move in the best round, the other sliders at temperature 0.8 and top-p 0.9."""
    logits = _real_logits()
    return [_figure(name, values, target, logits) for name, (values, target) in SLIDERS.items()]


def _figure(name: str, values: Iterator[float], target: float, logits: NDArray[np.float32]) -> dict[str, Any]:
    ranked = rank(logits)
    scores = torch.from_numpy(logits)[None]

    def ours(settings: dict[str, Any]) -> None:
        distribution(ranked, Sampling(**settings))

    def peer(settings: dict[str, Any]) -> None:
        _processors(**settings)(None, scores).softmax(-1)

    best = {ours: float("inf"), peer: float("inf")}
    threads = (1, torch.get_num_threads())  # the peer's best: on a busy machine one thread is faster
    for number in range(ROUNDS):
        torch.set_num_threads(threads[number // 2 % 2])
        for measured in (ours, peer) if number % 2 else (peer, ours):
            n_moves = MOVES if measured is ours else PEER_MOVES
            moves = [START | {name: value} for value in itertools.islice(values, n_moves)]
            best[measured] = min(best[measured], _per_move(measured, moves))
    torch.set_num_threads(threads[1])
    limit = _one_exp_each(logits) if name == "temperature" else None
    return {
        "row": 1,
        "metric": f"{name} slider -> new distribution, {len(logits):,} tokens",
        "ours": best[ours],
        "peer": best[peer],
        "unit": "ms",
        "ratio": best[peer] / best[ours],
        "target": target,
        "limit": limit,
        "ok": best[peer] / best[ours] >= target,
    }


def _per_move(measured: Callable[[dict[str, Any]], None], moves: list[dict[str, Any]]) -> float:
    started = time.perf_counter()
    for settings in moves:
        measured(settings)
    return (time.perf_counter() - started) / len(moves) * 1e3


def _processors(temperature: float, top_k: float, top_p: float, min_p: float) -> LogitsProcessorList:
    """What `generate` would build for these settings."""
    made = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    if top_k:
        made.append(TopKLogitsWarper(int(top_k)))
    if top_p < 1:
        made.append(TopPLogitsWarper(top_p))
    if min_p:
        made.append(MinPLogitsWarper(min_p))
    return made


def _one_exp_each(logits: NDArray[np.float32]) -> float:
    """The least that a new temperature needs: one double-precision exp a token, in ms."""
    row = (logits - logits.max()).astype(np.float64)
    found = np.empty_like(row)
    return min(_per_move(lambda _: np.exp(row, out=found), [{}] * PEER_MOVES) for _ in range(ROUNDS))


def _real_logits() -> NDArray[np.float32]:
    settings = Settings()
    engine = create_engine(settings)
    trace = engine.trace(
        TraceRequest(model=settings.default_model, text=TEXT, capture=Capture(logits="last"), timeout_s=300)
    )
    engine.close()
    assert trace.logits is not None
    logits: NDArray[np.float32] = trace.logits[-1].copy()
    return logits
