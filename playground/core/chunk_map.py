"""A plane through many vectors, on which a new one can be placed without moving the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plane:
    """The two directions in which some vectors differ most.

    Attributes:
        mean: Mean of the vectors. Shape [d_model].
        axes: The directions, of length 1. Shape [2, d_model].
        explained: Share of the variance along each. Shape [2].
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: NDArray[np.float64]

    @property
    def size_bytes(self) -> int:
        """Memory of all."""
        return self.mean.nbytes + self.axes.nbytes + self.explained.nbytes

    def place(self, vectors: Vectors) -> NDArray[np.float64]:
        """Points of vectors [n, d_model] on the plane. Shape [n, 2]."""
        points: NDArray[np.float64] = (np.asarray(vectors, np.float64) - self.mean) @ self.axes.T
        return points


def plane(vectors: Vectors) -> Plane:
    """Principal components of vectors [n, d_model]: the points of `core.projections.pca`, and their axes.

    The sign of an axis is fixed so that its largest component is positive.
    """
    centred = np.asarray(vectors, np.float64)
    mean = centred.mean(axis=0)
    covariance = (centred - mean).T @ (centred - mean)
    strengths, directions = np.linalg.eigh(covariance)
    axes = directions[:, ::-1][:, :2].T
    largest = axes[np.arange(2), np.abs(axes).argmax(axis=1)]
    total = max(float(strengths.clip(min=0).sum()), np.finfo(np.float64).tiny)
    return Plane(
        mean, axes * np.where(largest < 0, -1.0, 1.0)[:, None], strengths[::-1][:2].clip(min=0) / total
    )
