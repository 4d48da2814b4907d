"""Many numbers to two or three: principal components, t-SNE; cosine matrices; separation of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Points = NDArray[np.float64]

PERPLEXITY = 30.0
N_ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class Projection:
    """Points of a map.

    Attributes:
        points: One point per vector. Shape [n, n_dims].
        explained: Share of the variance along each axis, [n_dims]; empty for t-SNE, whose axes mean nothing.
    """

    points: Points
    explained: NDArray[np.float64]


def pca(vectors: Vectors, n_dims: int = 2) -> Projection:
    """Principal components: look along the directions in which the vectors differ most.

    The sign of an axis is arbitrary; it is fixed so that its largest component is positive. Where the
    vectors differ in fewer directions than asked for, the rest is 0.

    Args:
        vectors: Shape [n, d_model].
        n_dims: 2 or 3.

    Source:
        Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Example:
        >>> pca(np.array([[0, 0], [3, 4]], dtype=np.float32), 1).points.round(3).tolist()
        [[-2.5], [2.5]]
    """
    centred = np.asarray(vectors, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    points, explained = np.zeros((len(centred), n_dims)), np.zeros(n_dims)
    left, strength, axes = np.linalg.svd(centred, full_matrices=False)
    total = float(strength @ strength)
    scale = float(np.abs(vectors).max(initial=0.0)) * np.sqrt(centred.size)
    if total > (1e-6 * scale) ** 2:  # below it there is only rounding
        n = min(n_dims, len(strength))
        largest = axes[np.arange(n), np.abs(axes[:n]).argmax(axis=1)]
        points[:, :n] = left[:, :n] * strength[:n] * np.where(largest < 0, -1.0, 1.0)
        explained[:n] = strength[:n] ** 2 / total
    return Projection(points, explained)


def tsne(vectors: Vectors, n_dims: int = 2, *, seed: int = 0) -> Projection:
    """t-SNE: keep neighbours neighbours; distances between groups mean nothing.

    Args:
        vectors: Shape [n, d_model]; fewer than 4 different ones cannot be arranged and fall back to PCA.
        n_dims: 2 or 3.
        seed: Seed of the random start: same seed, same map on the same machine.

    Source:
        van der Maaten & Hinton 2008, "Visualizing Data using t-SNE", as in scikit-learn.
    """
    different, index_of = np.unique(np.asarray(vectors), axis=0, return_inverse=True)
    if len(different) < 4:
        return Projection(pca(vectors, n_dims).points, np.zeros(0))
    from sklearn.manifold import TSNE  # 1 s to import

    perplexity = min(PERPLEXITY, (len(different) - 1) / 3)
    model = TSNE(n_dims, perplexity=perplexity, init="random", random_state=seed, max_iter=N_ITERATIONS)
    return Projection(np.asarray(model.fit_transform(different), np.float64)[index_of.ravel()], np.zeros(0))


def turned_towards(points: Points, target: Points) -> Points:
    """Turn or mirror a map so that it lies as close as possible to another one.

    Distances do not change. Maps of neighbouring layers so stay comparable.

    Args:
        points, target: Shape [n, n_dims].

    Source:
        Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem".
    """
    left, _strength, right = np.linalg.svd(points.T @ target)
    turned: Points = points @ (left @ right)
    return turned


def unit(vectors: Vectors) -> Vectors:
    """Divide each vector by its length; a vector of length 0 stays. Shape [n, d_model]."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    directions: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return directions


def cosine_matrix(vectors: Vectors) -> Vectors:
    """Cosine of every two vectors. Shape [n, n], within [-1, 1].

    Example:
        >>> cosine_matrix(np.array([[2, 0], [0, 3]], dtype=np.float32)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    directions = unit(vectors)
    cosines: Vectors = np.clip(directions @ directions.T, -1.0, 1.0)
    return cosines


def separation(cosines: Vectors, groups: Sequence[int]) -> float | None:
    """Separation of the groups: mean silhouette with the distance 1 - cosine.

    1 = every vector is far closer to its own group than to the next one, 0 = no difference, negative = it
    lies with the others.

    Args:
        cosines: From `cosine_matrix`. Shape [n, n].
        groups: Group of each vector. Length n.

    Returns:
        The mean silhouette, None with fewer than two groups or when each vector is a group of its own.

    Source:
        Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation and validation of cluster
        analysis".
    """
    labels = np.asarray(groups)
    names, sizes = np.unique(labels, return_counts=True)
    if len(names) < 2 or (sizes == 1).all():
        return None
    distances = np.maximum(1.0 - np.asarray(cosines, np.float64), 0.0)
    np.fill_diagonal(distances, 0.0)
    sums = np.stack([distances[:, labels == group].sum(axis=1) for group in names], axis=1)
    own = np.searchsorted(names, labels)
    rows = np.arange(len(labels))
    inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    widest = np.maximum(inside, outside)
    flat = (widest < 1e-6) | (sizes[own] == 1)  # identical vectors belong nowhere in particular
    scores = np.divide(outside - inside, widest, out=np.zeros_like(widest), where=~flat)
    return float(scores.mean())
