"""Row 7: a class asks at once (thirty one text, eight eight texts), against one lock around the model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings

ROUNDS = 15
TEXTS = [
    "The capital of England is",
    "My favourite season is autumn because the leaves",
    "Water boils at one hundred degrees and freezes at",
    "The opposite of hot is cold and the opposite of up is",
    "She opened the old wooden door and saw",
    "Two plus two is four and three plus three is",
    "The animal didn't cross the street because it was",
    "In the morning the farmer feeds his",
]


def run() -> list[dict[str, Any]]:
    """Forwards of thirty equal requests, and milliseconds until eight different ones are all answered."""
    settings = Settings()
    engine = create_engine(settings)
    model = settings.default_model
    peer = AutoModelForCausalLM.from_pretrained(
        model_folder(model, settings), dtype=torch.float32, local_files_only=True
    ).eval()
    lock = threading.Lock()

    def ours(number: int, text: str) -> None:
        engine.trace(TraceRequest(model, text, Capture(logits="last"), owner=f"student {number}"))

    def theirs(number: int, text: str) -> None:
        ids = torch.tensor([engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids])
        with lock, torch.no_grad():
            peer(input_ids=ids, logits_to_keep=1)

    ours(0, "warm up")
    theirs(0, "warm up")
    before = engine.stats().n_forwards
    _burst(ours, ["Thirty students ask the same"] * 30)
    n_forwards = engine.stats().n_forwards - before
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    for number in range(ROUNDS):
        texts = [f"{number}. {text}" for text in TEXTS]  # never asked before, so never cached
        pair = [("ours", ours), ("peer", theirs)]
        for name, ask in pair if number % 2 else reversed(pair):
            times[name].append(_burst(ask, texts))
    engine.close()
    mine, peers = min(times["ours"]), min(times["peer"])
    return [
        _row("forwards for thirty equal requests", n_forwards, 30, "forwards", 30, n_forwards == 1),
        _row("eight different texts answered", mine, peers, "ms", 1.5, peers / mine >= 1.5),
    ]


def _row(metric: str, ours: float, peer: float, unit: str, target: float, ok: bool) -> dict[str, Any]:
    return {
        "row": 7,
        "metric": metric,
        "ours": ours,
        "peer": peer,
        "peer_name": "one global lock",
        "unit": unit,
        "ratio": peer / ours,
        "target": target,
        "limit": None,
        "ok": ok,
    }


def _burst(ask: Callable[[int, str], None], texts: list[str]) -> float:
    """Milliseconds until every thread has its answer; all start together."""
    barrier = threading.Barrier(len(texts) + 1)

    def student(number: int) -> None:
        barrier.wait()
        ask(number, texts[number])

    with ThreadPoolExecutor(len(texts)) as pool:
        futures = [pool.submit(student, number) for number in range(len(texts))]
        barrier.wait()
        started = time.perf_counter()
        for future in futures:
            future.result()
        return (time.perf_counter() - started) * 1e3
