"""Locality-sensitive hashing by random hyperplanes (Charikar, STOC 2002).

A bit of a code says on which side of a plane a vector lies; two vectors differ in a bit with probability
angle / pi. Codes are compared whole, as faiss's `IndexLSH` does, or name buckets in several tables (Indyk and
Motwani, STOC 1998), of which a search also looks into neighbours (multi-probe: Lv and others, VLDB 2007).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from playground.core.indexes.found import Found, Places, Vectors, nearest, squared_l2

MAX_BITS = 63  # of a bucket's number
Bits = NDArray[np.bool_]
_ID_BYTES = 8


@dataclass(frozen=True, slots=True, eq=False)
class LshCodes:
    """Codes of all vectors, compared by the number of bits that differ.

    Attributes:
        middle: Mean of the vectors, which every plane goes through: sentence vectors point nearly one way,
            and planes through the origin would have them all on one side. Shape [d].
        planes: A normal vector of each plane. Shape [bit, d].
        codes: Bits of each vector, eight a byte. Shape [n, ceil(bits / 8)].
    """

    middle: Vectors
    planes: Vectors
    codes: NDArray[np.uint8]

    @classmethod
    def build(cls, vectors: Vectors, n_bits: int, seed: int) -> LshCodes:
        """Draw the planes; as far as there are dimensions they are orthogonal. Shape [n, d]."""
        middle = vectors.mean(axis=0)
        planes = orthogonal_planes(n_bits, vectors.shape[1], seed)
        return cls(middle, planes, np.packbits(sides(vectors, middle, planes), axis=1))

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector: its code."""
        return float(self.codes.shape[1])

    def search(self, query: Vectors, k: int) -> Found:
        """The `k` vectors whose codes differ in the fewest bits; `distances` are these numbers of bits."""
        own = np.packbits(sides(query[None], self.middle, self.planes), axis=1)
        differing = np.bitwise_count(self.codes ^ own).sum(axis=1).astype(np.float32)
        n = len(self.codes)
        return nearest(np.arange(n), differing, k, n_distances=len(self.planes), n_codes=n)


@dataclass(frozen=True, slots=True, eq=False)
class LshTables:
    """Tables of buckets; the vectors of the buckets a search looks into are compared exactly.

    Attributes:
        vectors: Shape [n, d].
        middle: As in `LshCodes`. Shape [d].
        planes: Shape [table, bit, d].
        keys: Bucket of each vector: its bits as a number, the first plane's bit is the largest.
            Shape [table, n].
        buckets: Of each table, bucket -> rows.
    """

    vectors: Vectors
    middle: Vectors
    planes: Vectors
    keys: Places
    buckets: tuple[dict[int, Places], ...]

    @classmethod
    def build(cls, vectors: Vectors, n_bits: int, n_tables: int, seed: int) -> LshTables:
        """Draw the planes of each table and fill its buckets. Shape [n, d]; at most `MAX_BITS` bits."""
        if not 1 <= n_bits <= MAX_BITS:
            raise ValueError(f"{n_bits} bits, of 1-{MAX_BITS}")
        middle = vectors.mean(axis=0)
        d = vectors.shape[1]
        planes = np.stack([orthogonal_planes(n_bits, d, seed + 1_000 * table) for table in range(n_tables)])
        keys = np.stack([_numbers(sides(vectors, middle, own)) for own in planes])
        return cls(vectors, middle, planes, keys, tuple(map(_by_key, keys)))

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector: itself, and its id in each table."""
        return float(4 * self.vectors.shape[1] + _ID_BYTES * len(self.planes))

    def signed_distances(self, query: Vectors) -> Vectors:
        """Distance of the query to each plane, positive beyond it. Shape [d]; returns [table, bit]."""
        return self.planes @ (query - self.middle)

    def probed(self, query: Vectors, n_probes: int) -> list[list[int]]:
        """Buckets of each table that a search looks into: its own, then those beyond the nearest planes.

        Shape of the query [d]; at most `n_probes` a table.
        """
        return [_probes(own, n_probes) for own in self.signed_distances(query)]

    def search(self, query: Vectors, k: int, n_probes: int = 1) -> Found:
        """The `k` nearest vectors of `n_probes` buckets of each table. Shape of the query [d]."""
        none = np.empty(0, dtype=np.int64)
        met = [
            table.get(key, none)
            for table, keys in zip(self.buckets, self.probed(query, n_probes), strict=True)
            for key in keys
        ]
        rows = np.unique(np.concatenate(met))
        n_planes = self.planes.shape[0] * self.planes.shape[1]
        return nearest(rows, squared_l2(self.vectors[rows], query), k, n_distances=n_planes + len(rows))


def orthogonal_planes(n_bits: int, d: int, seed: int) -> Vectors:
    """Normal vectors of random planes, each `d` of them orthogonal to one another. Shape [n_bits, d]."""
    drawn = np.random.default_rng(seed)
    blocks = [np.linalg.qr(drawn.standard_normal((d, d)))[0] for _block in range(-(-n_bits // d))]
    return np.concatenate(blocks)[:n_bits].astype(np.float32)


def sides(vectors: Vectors, middle: Vectors, planes: Vectors) -> Bits:
    """On which side of each plane every vector lies. Shapes [n, d], [d] and [bit, d]; returns [n, bit]."""
    return np.asarray((vectors - middle) @ planes.T >= 0)


def _numbers(bits: Bits) -> Places:
    powers = 1 << np.arange(bits.shape[1] - 1, -1, -1, dtype=np.int64)
    return np.asarray(bits @ powers, dtype=np.int64)


def _by_key(keys: Places) -> dict[int, Places]:
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True))


def _probes(signed: Vectors, n_probes: int) -> list[int]:
    """The query's bucket, then those it would fall into if the bits of the nearest planes were turned."""
    own = int(_numbers(signed[None] >= 0)[0])
    n_bits = len(signed)
    order = np.argsort(np.abs(signed), kind="stable")
    costs = (signed[order] ** 2).tolist()
    masks = [1 << (n_bits - 1 - int(bit)) for bit in order]
    probes = [own]
    for turned in _cheapest(costs):
        if len(probes) >= n_probes:
            break
        key = own
        for place in turned:
            key ^= masks[place]
        probes.append(key)
    return probes


def _cheapest(costs: list[float]) -> Iterator[tuple[int, ...]]:
    """Sets of places by the sum of their costs, smallest first; `costs` grow (Lv and others, algorithm 1)."""
    heap: list[tuple[float, tuple[int, ...]]] = []
    if costs:
        heappush(heap, (costs[0], (0,)))
    while heap:
        cost, chosen = heappop(heap)
        yield chosen
        last = chosen[-1]
        if last + 1 < len(costs):
            heappush(heap, (cost + costs[last + 1], (*chosen, last + 1)))
            heappush(heap, (cost - costs[last] + costs[last + 1], (*chosen[:-1], last + 1)))
