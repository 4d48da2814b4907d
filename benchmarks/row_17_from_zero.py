"""Row 17: a tiny model from zero, tokens a second, one reader and four at once, against a plain loop.

The loop is what one writes by hand: transformers' Llama of the same shape, cross entropy, clipping, torch's
AdamW, with torch's own number of threads; four readers one after another.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from playground.core.pretraining import ByteWindow
from playground.core.pretraining_run import shipped_text
from playground.engine import create_engine
from playground.engine.contract.pretraining import (
    PretrainingRequest,
    PretrainingSettings,
    pretraining_request,
)
from playground.engine.contract.training import ENDED
from playground.engine.pretraining.bytes import batch_of
from playground.engine.pretraining.shapes import empty_model, first_values
from playground.engine.training.pretraining_learner import (
    BETAS,
    MAX_NORM,
    PretrainingLearner,
    PretrainingSlot,
    rate,
)
from playground.engine.training.run import text_order
from playground.settings import Settings

N_ROUNDS, N_TOGETHER = 8, 4


def run() -> list[dict[str, Any]]:
    """Tokens a second of one run and of four, of the shape a page begins with and of a smaller one."""
    shapes = {"": {}, ", small": {"d_model": 64, "window": 64, "batch_size": 8}}
    return [figure for name, shape in shapes.items() for figure in _figures(name, shape)]


def _figures(name: str, shape: dict[str, Any]) -> list[dict[str, Any]]:
    requests = [_request(seed, shape) for seed in range(N_TOGETHER)]
    one, four, peer = _learner(requests[:1]), _learner(requests), _Plain(requests[0])
    spent: dict[str, list[float]] = {"one": [], "four": [], "plain": []}
    for step in range(N_ROUNDS):
        batches = [_batch(request, step) for request in requests]
        for which in ("one", "plain", "four") if step % 2 else ("four", "plain", "one"):
            started = time.perf_counter()
            if which == "plain":
                peer.step(batches[0])
            else:
                (one if which == "one" else four).step(batches[:1] if which == "one" else batches)
            spent[which].append(time.perf_counter() - started)
    asked = requests[0].settings
    n_tokens = asked.batch_size * asked.window
    speed = {which: n_tokens / min(times[1:]) for which, times in spent.items()}
    same = n_tokens * N_TOGETHER / _step_of_equals(requests[0])
    return [
        _figure(f"one reader{name}: tokens/s", speed["one"], speed["plain"], 1.2),
        _figure(f"4 readers in one step{name}: tokens/s of all", 4 * speed["four"], speed["plain"], 2.0),
        _figure(f"4 readers who train the same{name}: tokens/s of all", same, speed["plain"], 2.0),
    ]


def _step_of_equals(request: PretrainingRequest) -> float:
    """Seconds of a step of the engine that four sessions with equal requests share."""
    engine = create_engine(Settings())
    try:
        each = [
            replace(request, owner=f"reader {number}", request_id=uuid4().hex) for number in range(N_TOGETHER)
        ]
        for one in each:
            engine.training.runs.start(one)
        spent = []
        while True:
            states = [engine.training.runs.state(one.request_id, one.owner) for one in each]
            known = [state for state in states if state is not None]
            spent += [state.step_s for state in known if state.step > 1]
            if all(state.status in ENDED for state in known):
                return min(spent)
            time.sleep(0.005)
    finally:
        engine.close()


def _request(seed: int, shape: dict[str, Any]) -> PretrainingRequest:
    settings = PretrainingSettings(**{"seed": seed, "n_steps": N_ROUNDS} | shape)
    return pretraining_request(settings, "", shipped_text("en"))


def _learner(requests: list[PretrainingRequest]) -> PretrainingLearner:
    return PretrainingLearner([PretrainingSlot(one) for one in requests], lambda: None)


def _batch(request: PretrainingRequest, step: int) -> list[ByteWindow]:
    size = request.settings.batch_size
    order = text_order(len(request.train), size * N_ROUNDS, request.settings.seed)
    return [request.train[i] for i in order[step * size : (step + 1) * size]]


class _Plain:
    """The same model in a loop as it is usually written."""

    def __init__(self, request: PretrainingRequest) -> None:
        self.settings, self.n_steps = request.settings, 0
        self.model = empty_model(self.settings, is_traced=False).train()
        self.model.load_state_dict(first_values(self.model, self.settings), strict=False)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1.0, betas=BETAS, weight_decay=0.0)

    def step(self, windows: list[ByteWindow]) -> float:
        """One step; the loss before it."""
        batch = batch_of("next", windows)
        logits = self.model(input_ids=batch.input_ids).logits
        loss = cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.model.parameters(), MAX_NORM)
        self.optimizer.param_groups[0]["lr"] = rate(self.settings, self.n_steps)
        self.optimizer.step()
        self.n_steps += 1
        return float(loss.detach())


def _figure(metric: str, ours: float, peer: float, target: float) -> dict[str, Any]:
    ratio = ours / peer
    return {
        "row": 17, "metric": metric, "ours": ours, "peer": peer, "unit": "tokens/s", "ratio": ratio,
        "target": target, "ok": ratio >= target,
    }  # fmt: skip
