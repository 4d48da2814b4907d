"""Inverted files: every vector lies in the nearest cell, and all cells together are exact."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from benchmarks.row_16_recall import K, Real
from playground.core.indexes.ivf import Ivf


def test_every_vector_lies_in_the_cell_of_the_nearest_centroid(real: Real) -> None:
    index = Ivf.build(real.vectors, 30, 0)
    distances = cdist(real.vectors, index.centroids)
    np.testing.assert_allclose(distances[np.arange(2_000), index.cells], distances.min(axis=1), atol=1e-5)
    assert sorted(np.concatenate(index.rows).tolist()) == list(range(2_000))
    assert all((index.cells[rows] == cell).all() for cell, rows in enumerate(index.rows))


def test_with_all_cells_the_search_is_exact_and_costs_more(real: Real) -> None:
    index = Ivf.build(real.vectors, 30, 0)
    for question, exact in zip(real.questions[:20], real.exact, strict=False):
        found = index.search(question, K, 30)
        assert found.places.tolist() == exact.tolist()
        assert found.n_distances == 2_030


def test_a_search_reads_the_nearest_cells_only(real: Real) -> None:
    index = Ivf.build(real.vectors, 30, 0)
    order, distances = index.cell_order(real.questions[0])
    np.testing.assert_allclose(
        distances, np.sort(cdist(real.questions[:1], index.centroids)[0] ** 2), atol=1e-5
    )
    found = index.search(real.questions[0], K, 3)
    assert set(index.cells[found.places]) <= set(order[:3].tolist())
    assert found.n_distances == 30 + sum(len(index.rows[cell]) for cell in order[:3])


def test_the_same_seed_gives_the_same_cells(real: Real) -> None:
    first, again, other = (Ivf.build(real.vectors, 20, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.centroids, again.centroids)
    assert not np.array_equal(first.cells, other.cells)


def test_more_cells_than_vectors_are_the_vectors(real: Real) -> None:
    index = Ivf.build(real.vectors[:5], 16, 0)
    assert len(index.centroids) == 5
    assert index.search(real.vectors[2], 3, 16).places[0] == 2
