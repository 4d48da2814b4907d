"""Row 16: search over 100,000 real vectors: our HNSW and IVF against faiss's exact search."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from playground.core.indexes.found import Found, Places, Vectors, recall
from playground.core.indexes.hnsw import Hnsw
from playground.core.indexes.ivf import Ivf
from playground.paths import site_root
from playground.trained.chunk_vectors import kept_vectors

N, K, SEED = 100_000, 10, 0
M, EF_CONSTRUCTION = 16, 80
CELLS = 1_024
EFS, PROBES = (32, 64, 96, 128, 192, 256, 384), (8, 16, 24, 32, 48, 64, 80)
RECALL, FEWER = 0.95, 10.0
Search = Callable[[Vectors], Found]


def run() -> list[dict[str, Any]]:
    """Distances that exact search computes for each of ours, at the first setting that finds 95 %."""
    import faiss

    vectors, questions = kept_vectors(site_root() / "build" / "chunk_vectors", N, _tell)
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatL2(vectors.shape[1])
    flat.add(vectors)
    exact, peer_us = _timed(lambda one: flat.search(one[None], K)[1][0], questions)
    ivf = _built("IVF", lambda: Ivf.build(vectors, CELLS, SEED))
    hnsw = _built("HNSW", lambda: Hnsw.build(vectors, M, EF_CONSTRUCTION, SEED))
    ways: list[tuple[str, list[tuple[int, Search]]]] = [
        ("IVF", [(n, lambda one, n=n: ivf.search(one, K, n)) for n in PROBES]),  # type: ignore[misc]
        ("HNSW", [(ef, lambda one, ef=ef: hnsw.search(one, K, ef)) for ef in EFS]),  # type: ignore[misc]
    ]
    return [_figure(name, settings, questions, exact, peer_us) for name, settings in ways]


def _figure(
    name: str, settings: list[tuple[int, Search]], questions: Vectors, exact: list[Places], peer_us: float
) -> dict[str, Any]:
    found_share = cost = us = 0.0
    value = 0
    for value, search in settings:
        found, us = _timed(search, questions)
        found_share = float(np.mean([recall(one.places, own) for one, own in zip(found, exact, strict=True)]))
        cost = float(np.mean([one.n_distances for one in found]))
        _tell(f"{name} {value}: recall {found_share:.4f}, {cost:,.0f} distances, {us:,.0f} us")
        if found_share >= RECALL:
            break
    return {
        "row": 16,
        "metric": f"{name} {value} over {N:,} vectors: recall@10 {found_share:.3f}",
        "ours": cost,
        "peer": float(N),
        "peer_name": "faiss IndexFlatL2",
        "unit": "distances",
        "ratio": N / cost,
        "target": FEWER,
        "recall": found_share,
        "median_us": us,
        "peer_us": peer_us,
        "ok": found_share >= RECALL and N / cost >= FEWER,
    }


def _timed(search: Callable[[Vectors], Any], questions: Vectors) -> tuple[list[Any], float]:
    """The answers, and the median of the microseconds."""
    found, times = [], []
    for question in questions:
        started = time.perf_counter()
        found.append(search(question))
        times.append(1e6 * (time.perf_counter() - started))
    return found, median(times)


def _built(name: str, build: Callable[[], Any]) -> Any:  # noqa: ANN401 - either index
    started = time.perf_counter()
    made = build()
    _tell(f"{name} built in {time.perf_counter() - started:.0f} s")
    return made


def _tell(words: str) -> None:
    print(words, file=sys.stderr)
