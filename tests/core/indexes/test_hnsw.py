"""HNSW: the laws of its graph, and a path whose every edge and distance is real."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.row_16_recall import K, Real
from playground.core.indexes.hnsw import Hnsw, Step, _chosen, _Walk

M, EF = 6, 24


@pytest.fixture(scope="module")
def graph(real: Real) -> Hnsw:
    return Hnsw.build(real.vectors, M, 40, seed=0)


def test_layers_thin_out_by_the_exponential_draw(graph: Hnsw) -> None:
    shares = [float(np.mean(graph.levels >= layer)) for layer in range(3)]
    assert shares[0] == 1.0
    for layer in (1, 2):
        expected = M**-layer
        assert shares[layer] == pytest.approx(expected, abs=4 * np.sqrt(expected / 2_000))
    assert graph.levels[graph.entry] == graph.levels.max() == graph.n_layers - 1


def test_links_stay_in_their_layer_and_within_their_number(graph: Hnsw) -> None:
    for layer in range(graph.n_layers):
        for node in np.flatnonzero(graph.levels >= layer).tolist():
            links = graph.neighbours(node, layer)
            assert len(set(links)) == len(links) <= (2 * M if layer == 0 else M)
            assert node not in links
            assert all(graph.levels[link] >= layer for link in links)


def reached(graph: Hnsw) -> set[int]:
    """Nodes that links of layer 0 lead to from the entry."""
    met, waiting = {graph.entry}, [graph.entry]
    while waiting:
        new = set(graph.neighbours(waiting.pop(), 0)) - met
        met |= new
        waiting += new
    return met


def test_nearly_every_node_can_be_reached_in_layer_0(graph: Hnsw) -> None:
    assert len(reached(graph)) >= 0.99 * 2_000  # nobody links to a node that all chose others over


def test_with_all_nodes_as_candidates_the_search_is_exact_over_those_in_reach(
    graph: Hnsw, real: Real
) -> None:
    places = np.array(sorted(reached(graph)))
    for question in real.questions[:10]:
        exact = places[((real.vectors[places] - question) ** 2).sum(axis=1).argsort(kind="stable")[:K]]
        assert graph.search(question, K, 2_000).places.tolist() == exact.tolist()


def test_every_edge_of_a_path_exists_and_every_distance_is_real(graph: Hnsw, real: Real) -> None:
    for question in real.questions[:25]:
        path: list[Step] = []
        found = graph.search(question, K, EF, path)
        exact = ((real.vectors - question) ** 2).sum(axis=1)
        assert path[0].node == graph.entry
        assert path[0].layer == graph.n_layers - 1
        for step in path:
            assert step.neighbours == graph.neighbours(step.node, step.layer)
            assert {node for _distance, node in step.new} <= set(step.neighbours)
            scored = [*step.new, *step.candidates, *step.found, (step.distance, step.node)]
            for distance, node in scored:
                assert distance == pytest.approx(exact[node], abs=1e-4)
        assert [node for _distance, node in path[-1].found][:K] == found.places.tolist()
        assert found.n_distances == 1 + sum(len(step.new) for step in path)


def test_a_path_goes_down_greedily_and_takes_the_nearest_candidate(graph: Hnsw, real: Real) -> None:
    for question in real.questions[:25]:
        path: list[Step] = []
        graph.search(question, K, EF, path)
        layers = [step.layer for step in path]
        assert layers == sorted(layers, reverse=True)
        assert set(layers) == set(range(graph.n_layers))
        for before, after in pairwise(path):
            if before.layer == after.layer:
                assert (after.distance, after.node) == before.candidates[0]
            else:  # the best of the layer above
                assert (after.distance, after.node) == before.found[0]
            if before.layer > 0:
                assert len(before.found) == 1
        assert all(len(step.found) <= EF for step in path)


def test_the_search_stops_when_no_candidate_is_nearer_than_the_worst_found(graph: Hnsw, real: Real) -> None:
    path: list[Step] = []
    graph.search(real.questions[0], K, EF, path)
    last = path[-1]
    assert not last.candidates or last.candidates[0][0] > last.found[-1][0]


def test_links_are_chosen_by_algorithm_4_of_the_paper(real: Real) -> None:
    """Written out: a candidate is taken if it is nearer to the node than to every one taken before it."""
    walk = _Walk(real.vectors, [], np.empty(0, np.int64))
    for node in range(0, 200, 7):
        distances = ((real.vectors - real.vectors[node]) ** 2).sum(axis=1)
        candidates = [int(place) for place in np.argsort(distances)[1:31]]
        taken: list[int] = []
        for candidate in candidates:
            to_taken = ((real.vectors[taken] - real.vectors[candidate]) ** 2).sum(axis=1)
            if len(taken) < M and np.all(distances[candidate] < to_taken):
                taken.append(candidate)
        chosen = _chosen(walk, [(float(distances[one]), one) for one in candidates], M)
        assert [one for _distance, one in chosen] == taken


def test_searches_at_the_same_time_do_not_meet(graph: Hnsw, real: Real) -> None:
    first, again = (graph.search(real.questions[3], K, EF) for _ in range(2))
    with ThreadPoolExecutor(8) as threads:
        many = list(threads.map(lambda one: graph.search(one, K, EF).places.tolist(), real.questions))
    assert many == [graph.search(one, K, EF).places.tolist() for one in real.questions]
    assert first.places.tolist() == again.places.tolist()
    assert first.n_distances == again.n_distances < 2_000


def test_the_same_seed_gives_the_same_graph(real: Real) -> None:
    vectors = real.vectors[:400]
    graphs = [Hnsw.build(vectors, 4, 20, seed) for seed in (1, 1, 2)]
    links = [[graph.neighbours(node, 0) for node in range(400)] for graph in graphs]
    assert links[0] == links[1] != links[2]


def test_one_and_two_vectors_have_graphs() -> None:
    vectors = np.eye(2, dtype=np.float32)
    assert Hnsw.build(vectors[:1], 4, 10, 0).search(vectors[0], 3, 5).places.tolist() == [0]
    assert Hnsw.build(vectors, 4, 10, 0).search(vectors[1], 3, 5).places.tolist() == [1, 0]


def test_equal_vectors_are_all_found() -> None:
    vectors = np.ones((40, 3), dtype=np.float32)
    found = Hnsw.build(vectors, 4, 20, 0).search(vectors[0], 5, 40)
    assert len(found.places) == 5
    assert not found.distances.any()


def test_no_vectors_and_one_link_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors"):
        Hnsw.build(np.empty((0, 3), np.float32), 4, 10, 0)
    with pytest.raises(ValueError, match="m 1"):
        Hnsw.build(np.eye(3, dtype=np.float32), 1, 10, 0)
