"""Many token sequences as one tree: a beginning that several of them share is stored, and computed, once.

    a b c      0:a - 1:b - 2:c
    a b d   ->       |   - 3:d         5 nodes instead of 7 tokens
    e a        4:e - 5:a

A node comes after its parent, so the tree can be read from the front in pieces of any size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROOT = -1


class PrefixTree:
    """Token sequences that share their beginnings.

    Attributes:
        token_ids: The token of each node.
        parents: The node before it, `ROOT` where there is none.
        depths: Number of nodes before it on its path: the token's position.

    Example:
        >>> tree = PrefixTree()
        >>> tree.add([5, 6, 7]), tree.add([5, 6, 8])
        ([0, 1, 2], [0, 1, 3])
        >>> tree.parents
        [-1, 0, 1, 1]
    """

    def __init__(self) -> None:
        self.token_ids: list[int] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self._children: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.token_ids)

    def add(self, token_ids: Sequence[int]) -> list[int]:
        """The node of each token of this sequence; those that are new are appended."""
        nodes, parent = [], ROOT
        for depth, token_id in enumerate(token_ids):
            node = self._children.get((parent, token_id))
            if node is None:
                node = len(self.token_ids)
                self._children[parent, token_id] = node
                self.token_ids.append(token_id)
                self.parents.append(parent)
                self.depths.append(depth)
            nodes.append(node)
            parent = node
        return nodes

    def n_new(self, token_ids: Sequence[int]) -> int:
        """Number of nodes that `add` would append."""
        parent = ROOT
        for depth, token_id in enumerate(token_ids):
            node = self._children.get((parent, token_id))
            if node is None:
                return len(token_ids) - depth
            parent = node
        return 0

    def visible(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Attention mask of the nodes `start <= node < stop`: each may look at itself and those on its path.

        Returns:
            Shape [stop - start, stop].
        """
        seen = np.zeros((stop - start, stop), dtype=np.bool_)
        for row, node in enumerate(range(start, stop)):
            parent = self.parents[node]
            if parent >= start:
                seen[row] = seen[parent - start]
            else:
                while parent != ROOT:
                    seen[row, parent] = True
                    parent = self.parents[parent]
            seen[row, node] = True
        return seen
