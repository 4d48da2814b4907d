"""What is said of weight and importance follows from the numbers, also when they contradict the lesson."""

from __future__ import annotations

import json

import numpy as np
import pytest

from playground.core.tables import ablation as frames
from playground.ui.attention.ranking import importance


def said(costs: list[float], links: list[float]) -> str:
    """The sentences on heads 1.1, 1.2, ... with these costs in bits and these strongest links."""
    heads = {(0, head): cost for head, cost in enumerate(costs)}
    table = frames.ranking(heads, np.array([links]), dict.fromkeys(heads, "a"))
    return importance(table)


@pytest.mark.parametrize(
    ("links", "rho", "words"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5], 1.0, "tend to cost more"),
        ([0.2, 0.1, 0.5, 0.3, 0.4], 0.6, "tend to cost more"),
        ([0.3, 0.1, 0.5, 0.2, 0.4], 0.3, "cost a little more"),
        ([0.3, 0.5, 0.1, 0.2, 0.4], -0.1, "next to nothing"),
        ([0.4, 0.2, 0.5, 0.1, 0.3], -0.3, "cost a little less"),
        ([0.5, 0.4, 0.3, 0.2, 0.1], -1.0, "tend to cost less"),
    ],
)
def test_what_is_said_follows_the_rank_correlation(links: list[float], rho: float, words: str) -> None:
    told = said([0.01, 0.02, 0.03, 0.04, 0.05], links)
    assert f"Rank correlation {rho:.2f}: " in told, told
    assert words in told


def test_a_head_that_has_both_is_said_to_have_both() -> None:
    told = said([0.5, 0.1, 0.2], [0.9, 0.1, 0.2])
    assert "Head 1.1 has both the strongest link (90 %) and the highest cost (0.500 bits)" in told
    told = said([0.5, 0.1, 0.2], [0.2, 0.9, 0.1])
    assert "Head 1.2 has the strongest link (90 %) and costs 0.100 bits, number 3 of 3" in told
    assert "needed most, 1.1, costs 0.500 bits with a strongest link of 20 %" in told


def test_nothing_is_said_of_heads_that_are_all_alike() -> None:
    told = said([0.0, 0.0, 0.0], [0.1, 0.2, 0.3])
    assert "nothing to compare" in told
    assert "nan" not in told


def test_a_ranking_of_equal_costs_can_travel_to_the_browser() -> None:
    heads = {(0, head): 0.0 for head in range(3)}
    table = frames.ranking(heads, np.array([[0.1, 0.2, 0.3]]), dict.fromkeys(heads, "a"))
    json.dumps(table.attrs, allow_nan=False)  # Arrow takes them along as JSON
    assert np.isnan(frames.rank_correlation(table))
