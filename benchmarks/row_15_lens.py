"""Row 15: the logit lens of a new sentence, against norm and head of every layer and position in a loop.

The loop has nothing to show before its end; ours has the selected column first. Thirty at once: ours by
thirty threads, the loop one sentence after another (some are measured, and scaled).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

from playground.engine.contract.inside import LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings

LENGTHS = (12, 64)
N_READERS, N_LOOPS = 30, 2
ROUNDS = 3
N_TOP = 5
Ids = tuple[int, ...]


class Times(NamedTuple):
    """Seconds until the first column and until all are there."""

    first: float
    whole: float


def run() -> list[dict[str, Any]]:
    """Seconds to the first picture and to all of it, alone and thirty at once."""
    settings = Settings()
    engine, peer = LocalEngine(settings), _Loop(settings)
    engine.inside.lens(LensRequest(settings.default_model, "warm up"))
    figures = []
    for n_tokens in LENGTHS:
        texts = _texts(n_tokens, ROUNDS + N_READERS)
        times: dict[str, list[Times]] = {"ours": [], "loop": [], "layers": []}
        ways: dict[str, Callable[[Ids], Times]] = {
            "ours": partial(_ours, engine, settings),
            "loop": peer.times,
            "layers": partial(peer.times, by_layer=True),
        }
        for number, ids in enumerate(texts[:ROUNDS]):
            for name in ways if number % 2 else reversed(ways):
                times[name].append(ways[name](ids))
            _check(engine, settings, peer, ids)
        loop, layers = (min(one.whole for one in times[name]) for name in ("loop", "layers"))
        first = min(one.first for one in times["ours"])
        whole = min(one.whole for one in times["ours"])
        at_once = _at_once(engine, settings, texts[ROUNDS:])
        queue = N_READERS * min(peer.times(ids).whole for ids in texts[:N_LOOPS])
        said = f"{n_tokens} tokens"
        figures += [
            _figure(f"{said}, alone: first picture", first, loop, 3.0),
            _figure(f"{said}, alone: all", whole, loop, 1.5),
            _figure(f"{said}, alone: all", whole, layers, None) | {"peer_name": "a product a layer"},
            _figure(f"{said}, thirty at once: worst first picture", at_once.first, queue, 3.0),
            _figure(f"{said}, thirty at once: all of the last", at_once.whole, queue, 1.5),
        ]
    engine.close()
    return figures


def _texts(n_tokens: int, n: int) -> list[Ids]:
    """Sentences nobody has asked for, of so many tokens."""
    random = np.random.default_rng(n_tokens)
    return [tuple(row) for row in random.integers(1_000, 40_000, (n, n_tokens)).tolist()]


def _ours(engine: LocalEngine, settings: Settings, ids: Ids, owner: str = "") -> Times:
    """As the page asks: the states, the selected column with its logits, then the others."""
    started = time.perf_counter()
    model = settings.default_model
    states = TraceRequest(
        model,
        input_ids=ids,
        capture=Capture(hidden_states="all", block_outputs=True),
        owner=owner,
        timeout_s=600.0,
    )
    engine.trace(states)
    column = LensRequest(
        model, input_ids=ids, position=len(ids) - 1, n_top=2 * N_TOP, owner=owner, timeout_s=600.0
    )
    engine.inside.lens(column)
    first = time.perf_counter() - started
    whole = LensRequest(model, input_ids=ids, n_top=N_TOP, later=True, owner=owner, timeout_s=600.0)
    engine.inside.lens(whole)
    return Times(first, time.perf_counter() - started)


def _at_once(engine: LocalEngine, settings: Settings, texts: list[Ids]) -> Times:
    """The worst of all readers who ask at the same moment."""
    barrier = Barrier(len(texts))

    def reader(number: int) -> Times:
        barrier.wait()
        return _ours(engine, settings, texts[number], f"reader {number}")

    with ThreadPoolExecutor(len(texts)) as pool:
        found = list(pool.map(reader, range(len(texts))))
    return Times(max(one.first for one in found), max(one.whole for one in found))


class _Loop:
    """The library's model, and the loop that a notebook has."""

    def __init__(self, settings: Settings) -> None:
        folder = model_folder(settings.default_model, settings)
        self._model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        ).eval()
        torch.set_num_threads(settings.torch_threads or 2)

    @torch.no_grad()
    def read(self, ids: Ids, *, by_layer: bool = False) -> NDArray[np.float32]:
        """Probability of the best guess after every layer at every position. Shape [layer + 1, position]."""
        states = self._model.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        head, norm, last = self._model.lm_head, self._model.model.norm, len(states) - 1
        found = np.zeros((len(states), len(ids)), dtype=np.float32)
        places = [slice(0, len(ids))] if by_layer else [slice(at, at + 1) for at in range(len(ids))]
        for layer, state in enumerate(states):
            for place in places:
                rows = state[0, place] if layer == last else norm(state[0, place])
                found[layer, place] = head(rows).softmax(-1).topk(N_TOP).values[:, 0].numpy()
        return found

    def times(self, ids: Ids, *, by_layer: bool = False) -> Times:
        """How long that takes; nothing is there before all is."""
        started = time.perf_counter()
        self.read(ids, by_layer=by_layer)
        spent_s = time.perf_counter() - started
        return Times(spent_s, spent_s)


def _check(engine: LocalEngine, settings: Settings, peer: _Loop, ids: Ids) -> None:
    ours = engine.inside.lens(LensRequest(settings.default_model, input_ids=ids, n_top=N_TOP)).top_probs[
        ..., 0
    ]
    off = float(np.abs(ours - peer.read(ids, by_layer=True)).max())
    if off > 1e-4:
        raise RuntimeError(f"probabilities differ by {off:.1e}")


def _figure(metric: str, ours: float, peer: float, target: float | None) -> dict[str, Any]:
    return {
        "row": 15, "metric": metric, "ours": ours, "peer": peer, "peer_name": "the plain loop",
        "unit": "s", "ratio": peer / ours, "target": target, "limit": None,
        "ok": target is None or peer / ours >= target,
    }  # fmt: skip
