"""Diversity and repetition on examples that can be counted by hand, and their laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.diversity import distinct, repeated
from playground.core.tables.continuations import WrittenText, by_temperature, continuations

TEXT = st.lists(st.integers(0, 5), min_size=4, max_size=30)


def test_equal_texts_are_less_distinct_the_more_there_are() -> None:
    text = [1, 2, 3, 4, 5]
    assert [distinct([text] * n, 2) for n in (1, 2, 4)] == [1.0, 0.5, 0.25]


def test_a_loop_repeats_all_but_its_first_round() -> None:
    assert repeated([1, 2, 3, 4] * 10) == pytest.approx(1 - 4 / 37)
    assert math.isnan(repeated([1, 2, 3]))
    assert math.isnan(distinct([], 1))


@given(texts=st.lists(TEXT, min_size=1, max_size=5), n=st.integers(1, 4))
def test_distinct_is_a_share_and_does_not_mind_the_order_of_texts(texts: list[list[int]], n: int) -> None:
    share = distinct(texts, n)
    assert 0 < share <= 1
    assert distinct(texts[::-1], n) == share


def test_tables_hold_means_that_can_be_worked_out_by_hand() -> None:
    written = [
        WrittenText(0.5, 0, [1, 2, 3, 4], [-1.0, -1.0, -2.0, 0.0], "ab"),
        WrittenText(0.5, 1, [1, 2, 3, 5], [-3.0, -1.0, -1.0, -3.0], "cd"),
        WrittenText(1.5, 0, [7], [-4.0], "e"),
        WrittenText(1.5, 1),
    ]
    table = continuations(written)
    assert table["mean_logprob"].tolist() == [-1.0, -2.0, -4.0]
    assert table["perplexity"].tolist() == pytest.approx(np.exp([1.0, 2.0, 4.0]).tolist())
    grouped = by_temperature(written)
    assert grouped["n_texts"].tolist() == [2, 1]
    assert grouped["mean_logprob"].tolist() == [-1.5, -4.0]
    assert grouped["distinct_1"].tolist() == [5 / 8, 1.0]
    assert grouped["distinct_2"].tolist()[0] == 4 / 6
    assert grouped["repeated_4"].tolist()[0] == 0.0
