"""Training texts of several slots as one batch: one row per slot, a common beginning of its texts read once.

A row is a prefix tree (`core.prefix_tree`) of the slot's texts: a token sees those on its own way only, so
losses and gradients are those of the texts one below the other, without padding and without reading a
common system message for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.prefix_tree import PrefixTree
from playground.engine.contract.training import TrainingText


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A batch of trees.

    Attributes:
        input_ids, position_ids: Id and position of each node; 0 beyond the end of a tree. Shape [slot, node].
        visible: True where a node may look. Shape [slot, 1, node, node].
        lengths: Nodes of each tree.
        slots, nodes: Slot of every trained token, and the node that predicts it. Shape [token].
        labels: The token. Shape [token].
    """

    input_ids: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    visible: NDArray[np.bool_]
    lengths: tuple[int, ...]
    slots: NDArray[np.int64]
    nodes: NDArray[np.int64]
    labels: NDArray[np.int64]


def packed(texts: Sequence[Sequence[TrainingText]]) -> Packed:
    """Lay the texts of each slot out as one tree.

    Args:
        texts: Texts of each slot, at least one.

    Example:
        >>> one = TrainingText((5, 6, 7), (False, False, True))
        >>> two = TrainingText((5, 6, 8), (False, False, True))
        >>> made = packed([[one, two]])
        >>> made.input_ids.tolist(), made.position_ids.tolist()
        ([[5, 6, 7, 8]], [[0, 1, 2, 2]])
        >>> made.nodes.tolist(), made.labels.tolist()
        ([1, 1], [7, 8])
    """
    trees, wanted = [], list[tuple[int, int, int]]()
    for slot, own in enumerate(texts):
        tree = PrefixTree()
        for text in own:
            way = tree.add(text.input_ids)
            wanted += [
                (slot, way[at - 1], text.input_ids[at]) for at, on in enumerate(text.is_trained) if on and at
            ]
        trees.append(tree)
    longest = max(map(len, trees))
    shape = (len(trees), longest)
    input_ids, position_ids = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    visible = np.zeros((len(trees), 1, longest, longest), np.bool_)
    visible[:, 0] = np.eye(longest, dtype=np.bool_)  # a row that sees nothing would give no number
    for slot, tree in enumerate(trees):
        n = len(tree)
        input_ids[slot, :n], position_ids[slot, :n] = tree.token_ids, tree.depths
        visible[slot, 0, :n, :n] = tree.visible(0, n)
    found = np.array(wanted, np.int64).reshape(-1, 3)
    return Packed(
        input_ids, position_ids, visible, tuple(map(len, trees)), found[:, 0], found[:, 1], found[:, 2]
    )
