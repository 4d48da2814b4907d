"""Row 13: nearest neighbours of a token over the whole vocabulary, under three measures at once."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch

from playground.core.embeddings import MEASURES, nearest, similarities
from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.settings import Settings

ROUNDS = 25
N = 10
LIMIT_MS = 20.0


def run() -> list[dict[str, Any]]:
    """Milliseconds for all three lists, interleaved A B B A, against the usual three lines of torch each."""
    settings = Settings()
    engine = create_engine(settings)
    engine.trace(TraceRequest(settings.default_model, "warm up", Capture(logits="last")))
    table = engine.vectors.embedding_table(settings.default_model)
    torch.set_num_threads(settings.torch_threads or 2)
    weights = torch.from_numpy(table.vectors.copy())
    token_ids = engine.tokenizers.tokenize(
        settings.default_model, " England capital river three", add_special_tokens=True
    ).input_ids

    def ours(token_id: int) -> float:
        started = time.perf_counter()
        values = similarities(table, table.vectors[token_id])
        for measure in MEASURES:
            nearest(values[measure], measure, N, without=(token_id,))
        return (time.perf_counter() - started) * 1e3

    def theirs(token_id: int) -> float:
        started = time.perf_counter()
        vector, mean = weights[token_id], weights.mean(0)
        torch.nn.functional.cosine_similarity(weights, vector[None]).topk(N + 1)
        torch.nn.functional.cosine_similarity(weights - mean, (vector - mean)[None]).topk(N + 1)
        (weights @ vector).topk(N + 1)
        return (time.perf_counter() - started) * 1e3

    def product(token_id: int) -> float:
        started = time.perf_counter()
        np.dot(table.vectors, table.vectors[token_id])
        return (time.perf_counter() - started) * 1e3

    ours(token_ids[0]), theirs(token_ids[0])
    times: dict[str, list[float]] = {"ours": [], "peer": [], "limit": []}
    for number in range(ROUNDS):
        token_id = token_ids[number % len(token_ids)]
        order = [("ours", ours), ("peer", theirs), ("limit", product)]
        for name, measure in order if number % 2 else reversed(order):
            times[name].append(measure(token_id))
    engine.close()
    mine, peers = min(times["ours"]), min(times["peer"])
    return [
        {
            "row": 13,
            "metric": "neighbours over 49,152 tokens, three measures",
            "ours": mine,
            "peer": peers,
            "peer_name": "torch cosine_similarity and topk",
            "unit": "ms",
            "ratio": peers / mine,
            "target": 3.0,
            "limit": min(times["limit"]),
            "limit_name": "one product with the matrix",
            "median_ratio": median(times["peer"]) / median(times["ours"]),
            "median_ms": median(times["ours"]),
            "ok": peers / mine >= 3.0 and mine <= LIMIT_MS,
        }
    ]
