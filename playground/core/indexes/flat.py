"""Exact search: the distance to every vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from playground.core.indexes.found import Found, Vectors, nearest, squared_l2

Measure = Literal["cosine", "l2", "dot"]


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """An index that is the vectors themselves.

    Attributes:
        vectors: Shape [n, d].
        measure: "cosine": 1 - cosine; "l2": squared Euclidean distance; "dot": the negative dot product.
    """

    vectors: Vectors
    measure: Measure = "l2"

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector."""
        return float(4 * self.vectors.shape[1])

    def distances(self, query: Vectors) -> Vectors:
        """Distance of the query to each vector. Shape [d]; returns [n]."""
        if self.measure == "l2":
            return squared_l2(self.vectors, query)
        dots = self.vectors @ query
        if self.measure == "dot":
            return -dots
        lengths = np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(query)
        cosines: Vectors = dots / np.maximum(lengths, np.finfo(np.float32).tiny)
        return 1 - cosines

    def search(self, query: Vectors, k: int) -> Found:
        """The `k` nearest vectors. Shape of the query [d]."""
        n = len(self.vectors)
        return nearest(np.arange(n), self.distances(query), k, n_distances=n)
