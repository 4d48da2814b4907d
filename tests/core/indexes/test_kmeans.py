"""k-means keeps its laws, and is as good as scikit-learn's from the same start."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from benchmarks.row_16_recall import Real
from playground.core.indexes.kmeans import assigned, kmeans, members


def test_from_the_same_start_it_is_scikit_learns(real: Real) -> None:
    vectors = real.vectors[:400]
    first = vectors[np.random.default_rng(3).permutation(400)[:8]]
    theirs = KMeans(8, init=first, n_init=1, max_iter=5, tol=0, algorithm="lloyd").fit(vectors)
    np.testing.assert_allclose(kmeans(vectors, 8, 3, n_rounds=5), theirs.cluster_centers_, atol=1e-5)


def test_more_rounds_never_raise_the_error(real: Real) -> None:
    errors = [
        float(assigned(real.vectors, kmeans(real.vectors, 40, 0, n_rounds=n)).distances.sum())
        for n in range(6)
    ]
    assert sorted(errors, reverse=True) == errors


def test_a_cell_never_stays_empty() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 50, axis=0)  # four places for twelve centroids
    vectors += np.random.default_rng(0).normal(0, 1e-3, vectors.shape).astype(np.float32)
    cells = assigned(vectors, kmeans(vectors, 12, 0)).centroids
    assert len(np.unique(cells)) > 8


def test_as_many_centroids_as_vectors_are_the_vectors(real: Real) -> None:
    np.testing.assert_array_equal(kmeans(real.vectors[:50], 64, 0), real.vectors[:50])


def test_members_are_the_rows_of_each_cell() -> None:
    cells = np.array([2, 0, 2, 4])
    assert [rows.tolist() for rows in members(cells, 5)] == [[1], [], [0, 2], [], [3]]
