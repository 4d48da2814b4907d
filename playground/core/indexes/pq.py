"""Product quantization (Jegou, Douze and Schmid, IEEE TPAMI 33, 2011).

A vector is cut into parts of equal length; of each part only the number of the nearest entry of that part's
codebook is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.indexes.found import Found, Vectors, nearest, squared_lengths
from playground.core.indexes.kmeans import assigned, kmeans

_N_ROUNDS = 25  # of k-means, as in faiss


@dataclass(frozen=True, slots=True, eq=False)
class Pq:
    """Vectors as codes.

    Attributes:
        codebooks: The entries of each part. Shape [part, entry, d / parts].
        codes: Number of the entry that stands for each part. Shape [n, part].
    """

    codebooks: Vectors
    codes: NDArray[np.uint16]

    @classmethod
    def build(cls, vectors: Vectors, n_parts: int, n_bits: int, seed: int) -> Pq:
        """Train a codebook of `2**n_bits` entries a part and write every vector as codes.

        Args:
            vectors: Shape [n, d].
            n_parts: Parts of a vector; divides d.
            n_bits: Bits of a code, at most 16. With as many entries as vectors nothing is lost.
            seed: Of k-means.

        Raises:
            ValueError: The parts do not divide d, or a code has more than 16 bits.
        """
        n, d = vectors.shape
        if d % n_parts or not 1 <= n_bits <= 16:
            raise ValueError(f"{n_parts} parts of {d} dimensions, {n_bits} bits")
        parts = vectors.reshape(n, n_parts, -1)
        books = [
            kmeans(np.ascontiguousarray(parts[:, part]), 2**n_bits, seed + part, _N_ROUNDS)
            for part in range(n_parts)
        ]
        codebooks = np.stack(books)
        return cls(codebooks, encoded(vectors, codebooks))

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector: its codes, and its part of the codebooks."""
        n, n_parts = self.codes.shape
        bits = int(np.ceil(np.log2(max(2, self.codebooks.shape[1]))))
        return float(np.ceil(n_parts * bits / 8) + 4 * self.codebooks.size / n)

    def reconstructed(self) -> Vectors:
        """The entries that the codes name, put together again. Shape [n, d]."""
        return decoded(self.codes, self.codebooks)

    def table(self, query: Vectors) -> Vectors:
        """Squared distance of each part of the query to each entry of its codebook.

        Shape [d]; returns [part, entry].
        """
        parts = query.reshape(len(self.codebooks), 1, -1)
        differences = self.codebooks - parts
        distances: Vectors = np.einsum("ped,ped->pe", differences, differences)
        return distances

    def search(self, query: Vectors, k: int) -> Found:
        """The `k` codes with the smallest sum of entries looked up in `table` (asymmetric distance).

        Shape of the query [d].
        """
        table = self.table(query)
        n, n_parts = self.codes.shape
        sums = np.zeros(n, dtype=np.float32)
        for part in range(n_parts):
            sums += table[part][self.codes[:, part]]
        return nearest(np.arange(n), sums, k, n_distances=table.shape[1], n_codes=n)


def encoded(vectors: Vectors, codebooks: Vectors) -> NDArray[np.uint16]:
    """Number of the nearest entry of each part.

    Shapes [n, d] and [part, entry, d / parts]; returns [n, part].
    """
    parts = vectors.reshape(len(vectors), len(codebooks), -1)
    numbers = [
        assigned(np.ascontiguousarray(parts[:, part]), book).centroids for part, book in enumerate(codebooks)
    ]
    return np.stack(numbers, axis=1).astype(np.uint16)


def decoded(codes: NDArray[np.uint16], codebooks: Vectors) -> Vectors:
    """The vectors that codes stand for. Shapes [n, part] and [part, entry, d / parts]; returns [n, d]."""
    return codebooks[np.arange(len(codebooks)), codes].reshape(len(codes), -1)


def squared_error(vectors: Vectors, rebuilt: Vectors) -> Vectors:
    """Squared distance between each vector and what its code stands for. Shapes [n, d] twice; returns [n]."""
    return squared_lengths(vectors - rebuilt)
