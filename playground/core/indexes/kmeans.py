"""Lloyd's k-means (1957; IEEE Trans. Inf. Theory 28, 1982), as IVF and PQ train with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from playground.core.indexes.found import Places, Vectors, squared_lengths

_BLOCK = 8_192  # vectors whose distances to all centroids are in memory at a time
_MOST_A_CENTROID = 256  # training vectors of each centroid, as in faiss


class Nearest(NamedTuple):
    """The nearest centroid of each vector, and the squared distance to it. Shapes [n]."""

    centroids: Places
    distances: Vectors


def kmeans(vectors: Vectors, n_centroids: int, seed: int, n_rounds: int = 10) -> Vectors:
    """Centroids that lie in the middle of the vectors nearest to them.

    A centroid that loses all its vectors takes the place of half of the largest cell. With as many centroids
    as vectors, or more, the vectors are the centroids.

    Args:
        vectors: Shape [n, d].
        n_centroids: Number of centroids.
        seed: Draws the training vectors, where there are more than 256 a centroid, and the first centroids.
        n_rounds: Rounds of assigning and averaging.

    Returns:
        Shape [min(n, n_centroids), d].
    """
    if len(vectors) <= n_centroids:
        return vectors.copy()
    drawn = np.random.default_rng(seed)
    order = drawn.permutation(len(vectors))[: n_centroids * _MOST_A_CENTROID]
    centroids = vectors[order[:n_centroids]].copy()
    vectors = vectors[order]
    for _round in range(n_rounds):
        cells = assigned(vectors, centroids).centroids
        centroids = _middles(vectors, cells, centroids)
    return centroids


def assigned(vectors: Vectors, centroids: Vectors) -> Nearest:
    """The nearest centroid of each vector. Shapes [n, d] and [centroid, d]."""
    nearest = np.empty(len(vectors), dtype=np.int64)
    distances = np.empty(len(vectors), dtype=np.float32)
    squares = squared_lengths(centroids)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        part = squares - 2 * (block @ centroids.T)
        best = part.argmin(axis=1)
        nearest[start : start + _BLOCK] = best
        distances[start : start + _BLOCK] = squared_lengths(block - centroids[best])
    return Nearest(nearest, distances)


def members(cells: Places, n_cells: int) -> list[Places]:
    """Rows of each cell. Shape [n]; returns a list of n_cells arrays, rows in order."""
    order = np.argsort(cells, kind="stable")
    return np.split(order, np.cumsum(np.bincount(cells, minlength=n_cells))[:-1])


def _middles(vectors: Vectors, cells: Places, centroids: Vectors) -> Vectors:
    """Mean of each cell. Shapes [n, d], [n] and [centroid, d]; returns [centroid, d]."""
    order = np.argsort(cells, kind="stable")
    sizes = np.bincount(cells, minlength=len(centroids))
    filled = np.flatnonzero(sizes)
    starts = np.concatenate([[0], np.cumsum(sizes[filled])[:-1]])
    middles = centroids.copy()
    middles[filled] = np.add.reduceat(vectors[order], starts, axis=0) / sizes[filled, None]
    _split(middles, sizes)
    return middles


def _split(middles: Vectors, sizes: NDArray[np.int64]) -> None:
    """Give each empty cell half of the largest one: two centroids a little to either side of its middle."""
    for empty in np.flatnonzero(sizes == 0):
        largest = int(sizes.argmax())
        sign = np.where(np.arange(middles.shape[1]) % 2, 1 - 2**-10, 1 + 2**-10).astype(np.float32)
        middles[empty] = middles[largest] * sign
        middles[largest] = middles[largest] * (2 - sign)
        sizes[empty] = sizes[largest] // 2
        sizes[largest] -= sizes[empty]
