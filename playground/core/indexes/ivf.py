"""Inverted file: vectors in cells, of which a search reads the nearest (Sivic and Zisserman, ICCV 2003).

As in faiss, the cells are those of k-means, and the vectors in them are stored whole (Johnson, Douze and
Jegou, arXiv 1702.08734).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.core.indexes.found import Found, Places, Vectors, nearest, squared_l2
from playground.core.indexes.kmeans import assigned, kmeans, members

_ID_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Ivf:
    """An inverted file.

    Attributes:
        vectors: Shape [n, d].
        centroids: The middle of each cell. Shape [cell, d].
        cells: Cell of each vector. Shape [n].
        rows: Rows of the vectors in each cell.
    """

    vectors: Vectors
    centroids: Vectors
    cells: Places
    rows: tuple[Places, ...]

    @classmethod
    def build(cls, vectors: Vectors, n_cells: int, seed: int) -> Ivf:
        """Cut the space into at most `n_cells` cells. Shape [n, d]."""
        centroids = kmeans(vectors, n_cells, seed)
        cells = assigned(vectors, centroids).centroids
        return cls(vectors, centroids, cells, tuple(members(cells, len(centroids))))

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector: itself, its id, its part of the centroids."""
        n, d = self.vectors.shape
        return float(4 * d + _ID_BYTES + 4 * self.centroids.size / n)

    def cell_order(self, query: Vectors) -> tuple[Places, Vectors]:
        """The cells by the distance of their centroid, nearest first, and these distances.

        Shape [d]; returns [cell] twice.
        """
        distances = squared_l2(self.centroids, query)
        order = np.argsort(distances, kind="stable")
        return order, distances[order]

    def search(self, query: Vectors, k: int, n_probe: int) -> Found:
        """The `k` nearest vectors of the `n_probe` nearest cells. Shape of the query [d]."""
        order, _distances = self.cell_order(query)
        rows = np.concatenate([self.rows[cell] for cell in order[:n_probe]])
        distances = squared_l2(self.vectors[rows], query)
        return nearest(rows, distances, k, n_distances=len(self.centroids) + len(rows))
