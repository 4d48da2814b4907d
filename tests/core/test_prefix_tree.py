"""The prefix tree holds every sequence once, and each node sees its own way only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from playground.core.prefix_tree import ROOT, PrefixTree

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=12)


@given(SEQUENCES)
def test_every_sequence_is_spelled_by_its_nodes_and_nothing_is_there_twice(
    sequences: list[list[int]],
) -> None:
    tree = PrefixTree()
    for sequence in sequences:
        expected = len(tree) + tree.n_new(sequence)
        nodes = tree.add(sequence)
        assert len(tree) == expected
        assert [tree.token_ids[node] for node in nodes] == sequence
        assert [tree.depths[node] for node in nodes] == list(range(len(sequence)))
        assert [tree.parents[node] for node in nodes] == [ROOT, *nodes[:-1]]
        assert tree.n_new(sequence) == 0
    prefixes = {tuple(one[:n]) for one in sequences for n in range(1, len(one) + 1)}
    assert len(tree) == len(prefixes)


@given(SEQUENCES, st.integers(1, 7))
def test_a_node_sees_itself_and_its_way_however_the_tree_is_cut(
    sequences: list[list[int]], piece: int
) -> None:
    tree = PrefixTree()
    ways = [tree.add(sequence) for sequence in sequences]
    for start in range(0, len(tree), piece):
        stop = min(start + piece, len(tree))
        seen = tree.visible(start, stop)
        assert seen.shape == (stop - start, stop)
        for way in ways:
            for depth, node in enumerate(way):
                if start <= node < stop:
                    assert np.flatnonzero(seen[node - start]).tolist() == way[: depth + 1]
