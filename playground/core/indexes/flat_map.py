"""The plane on which an index is drawn: where many dimensions differ most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.core.indexes.found import Vectors
from playground.core.projections import pca


@dataclass(frozen=True, slots=True, eq=False)
class FlatMap:
    """Two principal components.

    Attributes:
        middle: Mean of the vectors. Shape [d].
        axes: Directions of the two axes. Shape [2, d].
        places: The vectors on the map. Shape [n, 2].
        explained: Share of the variance that the map keeps, 0 to 1.
    """

    middle: Vectors
    axes: Vectors
    places: Vectors
    explained: float

    def place(self, vectors: Vectors) -> Vectors:
        """Where other vectors lie on the map. Shape [..., d]; returns [..., 2]."""
        placed: Vectors = (vectors - self.middle) @ self.axes.T
        return placed


def flat_map(vectors: Vectors) -> FlatMap:
    """The map of these vectors [n, d]; axes along which they do not differ are 0."""
    projection = pca(vectors, 2)
    middle: Vectors = vectors.mean(axis=0)
    points: Vectors = projection.points.astype(np.float32)
    squares = np.maximum((points**2).sum(axis=0), np.finfo(np.float32).tiny)
    axes: Vectors = (points / squares).T @ (vectors - middle)
    return FlatMap(middle, axes, points, float(projection.explained.sum()))
