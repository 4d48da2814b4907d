"""IVF, LSH, PQ and HNSW find as much as faiss at the same settings; the benchmark has 10,000 chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import faiss
import numpy as np
import pytest

from playground.core.indexes.found import Vectors
from playground.core.indexes.hnsw import Hnsw
from playground.core.indexes.ivf import Ivf
from playground.core.indexes.lsh import LshCodes
from playground.core.indexes.pq import Pq
from playground.core.indexes.shipped import shipped_chunks
from tests.core.indexes.conftest import K, Real

POINTS = 0.03
# Training and layers are drawn: one draw alone moves recall by up to 5 points.
N_DRAWS = {"ivf": 8, "lsh": 4, "pq": 2, "hnsw": 2}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    faiss.omp_set_num_threads(1)


@cache
def graph(m: int, ef_construction: int, seed: int) -> Hnsw:
    return Hnsw.build(shipped_chunks().vectors, m, ef_construction, seed)


def ivf(real: Real, seed: int, n_cells: int, n_probe: int) -> tuple[float, float]:
    own = Ivf.build(real.vectors, n_cells, seed)
    d = real.vectors.shape[1]
    theirs = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, n_cells)
    theirs.cp.seed, theirs.cp.min_points_per_centroid, theirs.nprobe = seed, 1, n_probe
    return real.recall(lambda one: own.search(one, K, n_probe)), found_by(theirs, real, real.vectors)


def lsh(real: Real, seed: int, n_bits: int) -> tuple[float, float]:
    own = LshCodes.build(real.vectors, n_bits, seed)
    theirs = faiss.IndexLSH(real.vectors.shape[1], n_bits)
    theirs.rrot.init(seed)
    theirs.is_trained = True  # its planes are drawn
    middle = real.vectors.mean(axis=0)
    return real.recall(lambda one: own.search(one, K)), found_by(theirs, real, real.vectors - middle, middle)


def pq(real: Real, seed: int, n_parts: int, n_bits: int) -> tuple[float, float]:
    own = Pq.build(real.vectors, n_parts, n_bits, 100 * seed)
    theirs = faiss.IndexPQ(real.vectors.shape[1], n_parts, n_bits)
    theirs.pq.cp.seed, theirs.pq.cp.min_points_per_centroid = seed + 1, 1
    return real.recall(lambda one: own.search(one, K)), found_by(theirs, real, real.vectors)


def hnsw(real: Real, seed: int, m: int, ef_construction: int, ef: int) -> tuple[float, float]:
    own = graph(m, ef_construction, seed)
    theirs = faiss.IndexHNSWFlat(real.vectors.shape[1], m)
    theirs.hnsw.rng = faiss.RandomGenerator(seed + 1)
    theirs.hnsw.efConstruction, theirs.hnsw.efSearch = ef_construction, ef
    return real.recall(lambda one: own.search(one, K, ef)), found_by(theirs, real, real.vectors)


def found_by(index: faiss.Index, real: Real, vectors: Vectors, middle: Vectors | float = 0.0) -> float:
    if not index.is_trained:
        index.train(vectors)
    index.add(vectors)
    return real.recall_of(index.search(np.ascontiguousarray(real.questions - middle), K)[1])


CASES: list[tuple[Callable[..., tuple[float, float]], Sequence[int]]] = [
    (ivf, (64, 1)),
    (ivf, (64, 8)),
    (ivf, (178, 32)),
    (lsh, (64,)),
    (lsh, (256,)),
    (lsh, (768,)),
    (pq, (16, 6)),
    (pq, (48, 4)),
    (pq, (48, 6)),
    (hnsw, (6, 40, 16)),
    (hnsw, (16, 40, 16)),
    (hnsw, (16, 40, 64)),
]


@pytest.mark.parametrize(
    ("both", "settings"), CASES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_it_finds_as_much_as_faiss(
    real: Real, both: Callable[..., tuple[float, float]], settings: Sequence[int]
) -> None:
    n_draws = N_DRAWS[both.__name__]
    own, theirs = np.mean([both(real, seed, *settings) for seed in range(n_draws)], axis=0)
    assert 0.05 < theirs <= 1.0
    assert abs(own - theirs) <= POINTS, f"{both.__name__}{settings}: {own:.4f}, faiss {theirs:.4f}"
