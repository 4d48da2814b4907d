"""PCA, silhouette and cosine equal scikit-learn's; t-SNE survives what a reader uploads."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

from playground.core.projections import cosine_matrix, pca, separation, tsne, turned_towards, unit


def cloud(n: int, d: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ np.diag(rng.uniform(0.2, 3, d)) + rng.normal(size=d)).astype(np.float32)


@pytest.mark.parametrize("n_dims", [2, 3])
@pytest.mark.parametrize(("n", "d"), [(500, 384), (24, 576), (10, 3), (4, 50)])
def test_pca_equals_scikit_learn(n: int, d: int, n_dims: int) -> None:
    vectors = cloud(n, d, seed=n + d)
    theirs = PCA(n_dims, svd_solver="full").fit(vectors.astype(np.float64))
    ours = pca(vectors, n_dims)
    np.testing.assert_allclose(ours.points, theirs.transform(vectors.astype(np.float64)), atol=1e-8)
    np.testing.assert_allclose(ours.explained, theirs.explained_variance_ratio_, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 500])
@pytest.mark.parametrize("arrange", [pca, tsne])
def test_identical_vectors_lie_on_one_point(arrange: object, n: int) -> None:
    vectors = np.repeat(cloud(1, 384), n, axis=0)
    projection = arrange(vectors, 3)  # type: ignore[operator]
    assert projection.points.shape == (n, 3)
    assert not projection.points.any()


def test_fewer_directions_than_axes_leave_zeros() -> None:
    vectors = np.array([[0, 0, 0], [1, 2, 3], [2, 4, 6]], dtype=np.float32)
    projection = pca(vectors, 3)
    np.testing.assert_allclose(projection.points[:, 1:], 0, atol=1e-6)
    assert projection.explained[0] == pytest.approx(1)


def test_tsne_puts_equal_sentences_on_one_point_and_repeats_itself() -> None:
    vectors = np.concatenate([cloud(12, 20), cloud(12, 20)[:5]])
    first = tsne(vectors, 2, seed=3).points
    np.testing.assert_array_equal(first[12:], first[:5])
    np.testing.assert_array_equal(first, tsne(vectors, 2, seed=3).points)
    assert not np.array_equal(first, tsne(vectors, 2, seed=4).points)
    assert np.isfinite(first).all()


def test_tsne_keeps_clusters_together() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 20)
    vectors = (np.eye(3)[groups] @ rng.normal(size=(3, 40)) * 5 + rng.normal(size=(60, 40)) * 0.3).astype(
        np.float32
    )
    points = tsne(vectors, 2).points
    assert silhouette_score(points, groups) > 0.5


def test_turning_changes_no_distance_and_finds_the_turn() -> None:
    points = cloud(9, 2).astype(np.float64)
    angle = 1.1
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
    np.testing.assert_allclose(turned_towards(points @ turn, points), points, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_separation_equals_scikit_learns_silhouette(seed: int) -> None:
    vectors = cloud(20, 8, seed)
    groups = np.random.default_rng(seed).integers(0, 4, 20).tolist()
    distances = np.maximum(1 - cosine_matrix(vectors).astype(np.float64), 0)
    np.fill_diagonal(distances, 0)
    expected = silhouette_score(distances, groups, metric="precomputed")
    assert separation(cosine_matrix(vectors), groups) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("groups", [[0, 0, 0], [0, 1, 2]])
def test_no_separation_without_two_groups_or_with_singles_alone(groups: list[int]) -> None:
    assert separation(cosine_matrix(cloud(3, 5)), groups) is None


def test_identical_vectors_separate_nothing() -> None:
    vectors = np.repeat(cloud(1, 30), 6, axis=0)
    assert separation(cosine_matrix(vectors), [0, 0, 0, 1, 1, 1]) == 0


def test_cosine_matrix_equals_scikit_learn() -> None:
    vectors = cloud(15, 30)
    np.testing.assert_allclose(cosine_matrix(vectors), cosine_similarity(vectors), atol=1e-5)
    assert unit(np.zeros((2, 3), dtype=np.float32)).tolist() == [[0] * 3] * 2
