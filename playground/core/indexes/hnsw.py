"""Hierarchical navigable small world graphs (Malkov and Yashunin, arXiv 1603.09320, IEEE TPAMI 42, 2020).

Every vector is a node of layer 0; each layer above holds a share of those below. A search goes greedily down
to layer 0 and keeps the `ef` best nodes there. Algorithms 1, 2, 4 and 5 of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

import numpy as np
from numpy.typing import NDArray

from playground.core.indexes.found import Found, Places, Vectors, squared_lengths

Scored = tuple[float, int]  # squared distance, node


@dataclass(frozen=True, slots=True)
class Step:
    """A node whose neighbours a search looked at.

    Attributes:
        layer: Layer of the graph, 0 is the lowest.
        node, distance: The node, and its squared distance to the query.
        neighbours: All its neighbours in this layer.
        new: Those met for the first time in this layer, and their squared distances.
        candidates: Nodes still to look at after this step, nearest first; greedily there is one or none.
        found: Best nodes so far, nearest first, at most `ef`.
    """

    layer: int
    node: int
    distance: float
    neighbours: tuple[int, ...]
    new: tuple[Scored, ...]
    candidates: tuple[Scored, ...]
    found: tuple[Scored, ...]


@dataclass(slots=True)
class _Layer:
    """Neighbours of each node in a layer: a row of `links`, of which the first `sizes` count."""

    links: NDArray[np.int32]
    sizes: NDArray[np.int64]

    def of(self, node: int) -> NDArray[np.int32]:
        return self.links[node, : self.sizes[node]]

    def put(self, node: int, neighbours: NDArray[np.int32] | list[int]) -> None:
        self.sizes[node] = len(neighbours)
        self.links[node, : len(neighbours)] = neighbours


@dataclass(slots=True, eq=False)
class _Walk:
    """Searches in a graph: the nodes that the last one met, and the cost of all. Nobody else sees it."""

    vectors: Vectors
    layers: list[_Layer]
    seen: NDArray[np.int64]
    stamp: int = 0
    n_distances: int = 0

    def descended(self, query: Vectors, entry: int, layer: int, path: list[Step] | None) -> list[Scored]:
        """The nearest node that a greedy walk from the top finds above `layer`."""
        near = [(float(self.distances(query, np.array([entry]))[0]), entry)]
        for upper in range(len(self.layers) - 1, layer, -1):
            near = self.beam(query, near, 1, upper, path)
        return near

    def beam(
        self, query: Vectors, near: list[Scored], ef: int, layer: int, path: list[Step] | None = None
    ) -> list[Scored]:
        """Search a layer from the nodes `near` (algorithm 2): the best `ef` nodes met, in no order."""
        self.stamp += 1
        self.seen[[node for _distance, node in near]] = self.stamp
        candidates = list(near)
        heapify(candidates)
        found = [(-distance, node) for distance, node in near]  # the worst first
        heapify(found)
        while candidates:
            distance, node = heappop(candidates)
            if len(found) >= ef and distance > -found[0][0]:
                break
            neighbours = self.layers[layer].of(node)
            new = neighbours[self.seen[neighbours] != self.stamp]
            self.seen[new] = self.stamp
            scored = list(zip(self.distances(query, new).tolist(), new.tolist(), strict=True))
            for one in scored:
                if len(found) < ef:
                    heappush(found, (-one[0], one[1]))
                elif one[0] < -found[0][0]:
                    heapreplace(found, (-one[0], one[1]))
                else:
                    continue
                heappush(candidates, one)
            if path is not None:
                path.append(_step(layer, (distance, node), neighbours, scored, candidates, found))
        return [(-negative, node) for negative, node in found]

    def distances(self, query: Vectors, nodes: NDArray[np.integer]) -> Vectors:
        """Squared distances of the query to some nodes. Shapes [d] and [k]; returns [k]."""
        self.n_distances += len(nodes)
        return squared_lengths(self.vectors[nodes] - query)


@dataclass(frozen=True, slots=True, eq=False)
class Hnsw:
    """The graph.

    Attributes:
        vectors: Shape [n, d].
        m: Links that a node has room for in a layer; in layer 0 twice as many.
        levels: Highest layer of each node. Shape [n].
        entry: The node where a search starts: the first of the highest layer.
        n_distances: Distances computed while the graph was built.
    """

    vectors: Vectors
    m: int
    levels: Places
    entry: int
    n_distances: int
    _layers: list[_Layer]

    @classmethod
    def build(cls, vectors: Vectors, m: int, ef_construction: int, seed: int) -> Hnsw:
        """Insert one vector after another, those of higher layers first, as faiss does.

        Args:
            vectors: Shape [n, d], n at least 1.
            m: Links that a node has room for in a layer, in layer 0 twice as many; at least 2. As in faiss, a
                new node may use all of them, where the paper's makes `m` in layer 0 too.
            ef_construction: Candidates that are kept while a new node's neighbours are searched.
            seed: Draws the layers and the order of insertion.
        """
        if len(vectors) < 1 or m < 2:
            raise ValueError(f"{len(vectors)} vectors, m {m}")
        drawn = np.random.default_rng(seed)
        n = len(vectors)
        levels = np.floor(drawn.exponential(1 / np.log(m), size=n)).astype(np.int64)
        shuffled = drawn.permutation(n)
        order = shuffled[np.argsort(-levels[shuffled], kind="stable")].tolist()
        layers = [
            _Layer(np.full((n, _most_links(m, layer)), -1, np.int32), np.zeros(n, np.int64))
            for layer in range(int(levels.max()) + 1)
        ]
        walk = _Walk(vectors, layers, np.zeros(n, dtype=np.int64))
        for node in order[1:]:
            _insert(walk, m, order[0], node, int(levels[node]), ef_construction)
        return cls(vectors, m, levels, order[0], walk.n_distances, layers)

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return len(self._layers)

    @property
    def bytes_a_vector(self) -> float:
        """Bytes that are stored for each vector: itself, and four for each place of a link."""
        rooms = 2 * self.m + self.m * float(self.levels.mean())
        return float(4 * self.vectors.shape[1] + 4 * rooms)

    def neighbours(self, node: int, layer: int) -> tuple[int, ...]:
        """Nodes that a node links to in a layer."""
        return tuple(self._layers[layer].of(node).tolist())

    def search(self, query: Vectors, k: int, ef: int, path: list[Step] | None = None) -> Found:
        """The `k` nearest of the nodes met.

        Args:
            query: Shape [d].
            k: Most to give.
            ef: Best nodes that are kept in layer 0; at least `k` are.
            path: Every step is added to it.
        """
        walk = _Walk(self.vectors, self._layers, np.zeros(len(self.vectors), dtype=np.int64))
        near = walk.descended(query, self.entry, 0, path)
        found = sorted(walk.beam(query, near, max(ef, k), 0, path))[:k]
        places = np.array([node for _distance, node in found], dtype=np.int64)
        distances = np.array([distance for distance, _node in found], dtype=np.float32)
        return Found(places, distances, walk.n_distances)


def _most_links(m: int, layer: int) -> int:
    """Links that a node keeps in a layer."""
    return m if layer else 2 * m


def _insert(walk: _Walk, m: int, entry: int, node: int, level: int, ef_construction: int) -> None:
    """Link a new node into its layers (algorithm 1)."""
    vector = walk.vectors[node]
    near = walk.descended(vector, entry, level, None)
    for layer in range(level, -1, -1):
        near = walk.beam(vector, near, ef_construction, layer)
        chosen = _chosen(walk, sorted(near), _most_links(m, layer))
        walk.layers[layer].put(node, [other for _distance, other in chosen])
        for distance, other in chosen:
            _link_back(walk, other, node, distance, layer, _most_links(m, layer))


def _link_back(walk: _Walk, node: int, other: int, distance: float, layer: int, most: int) -> None:
    """Let a node link to a new one too; if it has no room left it chooses again."""
    held = walk.layers[layer]
    links = held.of(node)
    if len(links) < most:
        held.put(node, [*links.tolist(), other])
        return
    distances = walk.distances(walk.vectors[node], links).tolist()
    scored = sorted([(distance, other), *zip(distances, links.tolist(), strict=True)])
    held.put(node, [one for _distance, one in _chosen(walk, scored, most)])


def _chosen(walk: _Walk, scored: list[Scored], most: int) -> list[Scored]:
    """At most so many of the candidates, nearest first, none nearer to a chosen one than to the node.

    Algorithm 4: links go in different directions, so that a walk can leave a cluster. As in faiss, all are
    linked where there is room for more.
    """
    if len(scored) < most:
        return scored
    vectors = walk.vectors[[node for _distance, node in scored]]
    squares = squared_lengths(vectors)
    between = squares[:, None] + squares - 2 * (vectors @ vectors.T)
    walk.n_distances += len(scored) * (len(scored) - 1) // 2
    chosen: list[int] = []
    nearest_chosen = np.full(len(scored), np.inf, dtype=np.float32)
    for place, (distance, _node) in enumerate(scored):
        if distance < nearest_chosen[place]:
            chosen.append(place)
            if len(chosen) == most:
                break
            np.minimum(nearest_chosen, between[place], out=nearest_chosen)
    return [scored[place] for place in chosen]


def _step(
    layer: int,
    at: Scored,
    neighbours: NDArray[np.int32],
    new: list[Scored],
    candidates: list[Scored],
    found: list[Scored],
) -> Step:
    best = tuple(sorted((-negative, node) for negative, node in found))
    distance, node = at
    near = tuple(sorted(candidates))
    return Step(layer, node, distance, tuple(neighbours.tolist()), tuple(new), near, best)
