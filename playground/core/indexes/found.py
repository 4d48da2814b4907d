"""The answer of a search, its cost, and how much of the exact answer is in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

_BLOCK = 4_096  # vectors whose differences are in memory at a time


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The nearest vectors that an index found.

    Attributes:
        places: Rows of the vectors, nearest first; fewer than asked where the search met no more. Shape [k].
        distances: As the index measures them, smallest first. Shape [k].
        n_distances: Computations over all dimensions: of stored vectors, centroids, codebooks and planes.
        n_codes: Stored codes that were compared instead of vectors.
    """

    places: Places
    distances: Vectors
    n_distances: int
    n_codes: int = 0


def squared_lengths(differences: Vectors) -> Vectors:
    """Sum of squares of each row. Shape [n, d]; returns [n]."""
    squares: Vectors = np.einsum("nd,nd->n", differences, differences)
    return squares


def squared_l2(vectors: Vectors, query: Vectors) -> Vectors:
    """Squared Euclidean distance of each vector to the query. Shapes [n, d] and [d]; returns [n]."""
    distances = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        distances[start : start + _BLOCK] = squared_lengths(vectors[start : start + _BLOCK] - query)
    return distances


def nearest(places: Places, distances: Vectors, k: int, n_distances: int, n_codes: int = 0) -> Found:
    """The `k` of these with the smallest distances; of equal ones the first row.

    Args:
        places: Rows. Shape [n].
        distances: Their distances. Shape [n].
        k: Most to give.
        n_distances, n_codes: Cost so far, as in `Found`.
    """
    if len(places) > k:
        at_most = np.partition(distances, k - 1)[k - 1]
        near = np.flatnonzero(distances <= at_most)
        places, distances = places[near], distances[near]
    order = np.lexsort((places, distances))[:k]
    return Found(places[order], distances[order], n_distances, n_codes)


def recall(found: Places, exact: Places) -> float:
    """Share of the exact answer that was found. Shapes [k] each.

    Example:
        >>> recall(np.array([4, 2, 9]), np.array([2, 4, 7, 1]))
        0.5
    """
    return float(np.isin(exact, found).mean()) if len(exact) else 1.0
