"""Tables of heads: numbered as the pages number them."""

from __future__ import annotations

import numpy as np

from playground.core.heads import head_name, head_scores
from playground.core.tables import ablation as frames
from playground.core.tables.attention import weights


def test_layers_and_heads_are_counted_from_one_in_every_table() -> None:
    attention = np.tril(np.ones((3, 2, 4, 4))) / np.arange(1, 5)[:, None]
    table = frames.heads(head_scores(attention, np.arange(4)), 2.5)
    assert table["layer"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table["head"].tolist() == [1, 2, 1, 2, 1, 2]
    costs = {(2, 1): 0.5, (0, 0): 0.1}
    ranked = frames.ranking(costs, np.ones((3, 2)), dict.fromkeys(costs, "a"))
    assert ranked[["name", "layer", "head"]].to_numpy().tolist() == [["3.2", 3, 2], ["1.1", 1, 1]]
    assert set(ranked["name"]) == {head_name(*head) for head in costs}
    drawn = weights(attention, [1, 2], list("abcd"), list("abcd"))
    assert sorted(set(drawn["layer"])) == [2, 3]
    assert sorted(set(drawn["head"])) == [1, 2]
