"""Recall, time and bytes of faiss's indexes over some vectors, a point a setting.

faiss (Douze and others, arXiv 2401.08281) is imported when it is first used, and has one thread here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from playground.core.indexes.found import Places, Vectors

IndexName = Literal["flat", "ivf", "lsh", "pq", "hnsw"]
K = 10
N_REPEATS = 5  # of a search for every question; the time is their median


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of one index.

    Attributes:
        index: The index.
        built: Settings it was built with: name -> value. Points with the same ones make a line.
        knob, value: Setting that moves along the line, and its value; "" and 0 of the exact search.
        recall: Mean recall@10 over the questions.
        recall_low, recall_high: 95 % interval of that mean, by resampling questions.
        us: Microseconds a question, one question at a time: median over the repeats.
        us_low, us_high: Fastest and slowest repeat.
        bytes_a_vector: Bytes that are stored for each vector, centroids and codebooks shared out.
        build_s: Seconds that training and filling took.
    """

    index: IndexName
    built: tuple[tuple[str, int], ...]
    knob: str
    value: int
    recall: float
    recall_low: float
    recall_high: float
    us: float
    us_low: float
    us_high: float
    bytes_a_vector: float
    build_s: float


@dataclass(frozen=True, slots=True)
class Built:
    """An index to build, and the values of its knob to search with; without a knob, one search."""

    index: IndexName
    settings: tuple[tuple[str, int], ...] = ()
    knob: str = ""
    values: tuple[int, ...] = (0,)


def plan(n: int, d: int) -> tuple[Built, ...]:
    """The indexes that are measured over `n` vectors of `d` dimensions; exact search first."""
    cells = n_cells(n)
    probes = tuple(value for value in (1, 2, 4, 8, 16, 32, 64, 128) if value <= cells)
    bits = code_bits(n)
    parts = [part for part in (4, 8, 16, 32, 48, 96) if d % part == 0]
    return (
        Built("flat"),
        *(Built("lsh", (("bits", value),), "bits", (value,)) for value in (64, 128, 256, 512, 1_024)),
        Built("ivf", (("cells", cells),), "nprobe", probes),
        *(Built("hnsw", (("M", m),), "ef", (10, 16, 32, 64, 128, 256)) for m in (8, 16, 32)),
        *(Built("pq", (("m", part), ("bits", bits)), "m", (part,)) for part in parts),
    )


def n_points(built: Sequence[Built]) -> int:
    """Number of points of a plan."""
    return sum(len(one.values) for one in built)


def code_bits(n: int) -> int:
    """Bits of a code of PQ over `n` vectors: 8, or as many as leave no entry without a vector."""
    return max(1, min(8, int(np.log2(n))))


def n_cells(n: int) -> int:
    """Cells of an inverted file over `n` vectors: the power of two at or below four times the root of n.

    Example:
        >>> [n_cells(n) for n in (1, 60, 2_000, 100_000)]
        [1, 16, 128, 1024]
    """
    return 1 << int(np.log2(max(1, min(n, 4 * n**0.5))))


def measured(vectors: Vectors, questions: Vectors, built: Sequence[Built]) -> Iterator[Point]:
    """A point after the other; closing the iterator stops before the next.

    Args:
        vectors: Vectors of length 1. Shape [n, d].
        questions: Vectors to search with, of length 1. Shape [question, d].
        built: From `plan`; its first is the exact search, whose answer the others are compared with.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    exact = _flat(faiss, vectors).search(questions, K)[1]
    for one in built:
        started = time.perf_counter()
        index, middle = _made(faiss, one, vectors)
        build_s = time.perf_counter() - started
        size = _bytes(faiss, index, len(vectors))
        asked = np.ascontiguousarray(questions - middle)
        for value in one.values:
            _turn(index, one.knob, value)
            found, times = _timed(index, asked)
            low, mean, high = _interval(found, exact)
            us = np.array(times) * 1e6 / len(asked)
            yield Point(
                one.index, one.settings, one.knob, value, mean, low, high, float(np.median(us)),
                float(us.min()), float(us.max()), size, build_s,
            )  # fmt: skip
        del index


def _flat(faiss: Any, vectors: Vectors) -> Any:  # noqa: ANN401 - faiss has no types
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    return index


def _made(faiss: Any, one: Built, vectors: Vectors) -> tuple[Any, Vectors | float]:  # noqa: ANN401
    """The index with all vectors, and what is taken off every vector first."""
    d = vectors.shape[1]
    settings = dict(one.settings)
    if one.index == "flat":
        return _flat(faiss, vectors), 0.0
    if one.index == "hnsw":
        index = faiss.IndexHNSWFlat(d, settings["M"])
        index.hnsw.efConstruction = 40
        index.add(vectors)
        return index, 0.0
    if one.index == "lsh":
        middle = vectors.mean(axis=0)
        index = faiss.IndexLSH(d, settings["bits"])
        index.train(vectors - middle)
        index.add(vectors - middle)
        return index, middle
    if one.index == "ivf":
        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, settings["cells"])
        index.cp.min_points_per_centroid = 1
    else:
        index = faiss.IndexPQ(d, settings["m"], settings["bits"])
        index.pq.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add(vectors)
    return index, 0.0


def _turn(index: Any, knob: str, value: int) -> None:  # noqa: ANN401
    if knob == "nprobe":
        index.nprobe = value
    elif knob == "ef":
        index.hnsw.efSearch = value


def _timed(index: Any, questions: Vectors) -> tuple[Places, list[float]]:  # noqa: ANN401
    """The answers [question, K], and the seconds of each repeat."""
    times = []
    for _repeat in range(N_REPEATS):
        started = time.perf_counter()
        found = [index.search(question[None], K)[1][0] for question in questions]
        times.append(time.perf_counter() - started)
    return np.stack(found), times


def _interval(found: Places, exact: Places) -> tuple[float, float, float]:
    """Mean recall between its 2.5 % and 97.5 % points over 1,000 resamplings. Shapes [question, K]."""
    shares = np.array([np.isin(own, other).mean() for own, other in zip(exact, found, strict=True)])
    drawn = np.random.default_rng(0).integers(len(shares), size=(1_000, len(shares)))
    low, high = np.quantile(shares[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(shares.mean()), float(high)


def _bytes(faiss: Any, index: Any, n: int) -> float:  # noqa: ANN401
    """Bytes a vector, by the size of the index as faiss writes it into a file."""
    n_bytes = 0

    def count(block: bytes) -> int:
        nonlocal n_bytes
        n_bytes += len(block)
        return len(block)

    writer = faiss.PyCallbackIOWriter(count)
    faiss.write_index(index, writer)
    del writer  # it writes the rest
    return n_bytes / n
