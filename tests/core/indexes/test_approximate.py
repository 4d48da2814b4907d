"""IVF, LSH, PQ and HNSW find as much as faiss at the same settings; the benchmark has 10,000 chunks."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import pytest

from benchmarks.row_16_recall import POINTS, Both, Real, compared, hnsw, ivf, lsh, pq

# Training and layers are drawn: one draw alone moves recall by up to 5 points.
N_DRAWS = {"ivf": 8, "lsh": 4, "pq": 2, "hnsw": 2}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    faiss.omp_set_num_threads(1)


CASES: Sequence[tuple[Both, Sequence[int]]] = [
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
def test_it_finds_as_much_as_faiss(real: Real, both: Both, settings: Sequence[int]) -> None:
    own, theirs = compared(real, both, settings, N_DRAWS[both.__name__])
    assert 0.05 < theirs <= 1.0
    assert abs(own - theirs) <= POINTS, f"{both.__name__}{settings}: {own:.4f}, faiss {theirs:.4f}"
