"""Alignments, gradients and texts as single numbers: laws, and another way to compute the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy.stats import spearmanr

from playground.core import seq2seq
from playground.core.tables import seq2seq as tables

WEIGHTS = st_numpy.arrays(
    np.float32, st.tuples(st.integers(2, 8), st.integers(2, 8)), elements=st.floats(0, 1, width=32)
)


@given(WEIGHTS)
def test_the_order_of_an_alignment_is_spearmans_correlation(weights: np.ndarray) -> None:
    places = weights.argmax(1)
    if len(set(places)) < 2:
        assert seq2seq.rank_correlation(weights) == 0
    else:
        expected = spearmanr(np.arange(len(places)), places).statistic
        assert seq2seq.rank_correlation(weights) == pytest.approx(expected)


@given(WEIGHTS)
def test_the_longest_way_back_is_the_largest_step_down(weights: np.ndarray) -> None:
    places, step = weights.argmax(1), seq2seq.longest_way_back(weights)
    falls = [int(before) - int(after) for before, after in pairwise(places)]
    assert (max(falls) <= 0) if step == 0 else falls[step - 1] == max(falls)


@given(st.text(max_size=6), st.text(max_size=6))
def test_two_texts_are_equal_up_to_their_first_difference(one: str, other: str) -> None:
    place = seq2seq.first_difference(one, other)
    assert (place is None) == (one == other)
    if place is not None:
        assert one[:place] == other[:place]
        assert one[place : place + 1] != other[place : place + 1]


def test_parts_of_a_context_vector_are_as_long_as_weight_times_state() -> None:
    rng = np.random.default_rng(0)
    states, weights = rng.normal(size=(5, 7)).astype(np.float32), rng.random((3, 5)).astype(np.float32)
    parts = weights[:, :, None] * states
    np.testing.assert_allclose(
        seq2seq.contributions(weights, states), np.linalg.norm(parts, axis=2), rtol=1e-6
    )
    table = tables.alignment("abc", "vwxyz", weights, None, states)
    assert table["part"].to_numpy().reshape(3, 5) == pytest.approx(np.linalg.norm(parts, axis=2), rel=1e-6)
    assert table["score"].isna().all()


def test_gradients_are_relative_to_the_largest_and_nothing_stays_nothing() -> None:
    table = tables.gradients({"a": np.array([1e-6, 2], np.float32), "b": np.zeros(2, np.float32)}, "xy")
    assert table["relative"].tolist() == [pytest.approx(5e-7), 1, 0, 0]


def test_exact_match_has_intervals_and_leaves_out_what_was_not_asked() -> None:
    table = tables.exact({"a": [(2, 0, 10), (4, 10, 10), (6, 0, 0)]})
    assert table["length"].tolist() == [2, 4]
    assert table["low"].tolist()[0] == 0 < table["high"].tolist()[0] < 0.35
    assert table["high"].tolist()[1] == 1 > table["low"].tolist()[1] > 0.65


def test_a_loss_that_is_not_finite_is_missing() -> None:
    table = tables.losses({"a": ([(1, float("nan"))], [(0, 2.0), (1, float("inf"))])})
    assert table["loss"].isna().tolist() == [True, False, True]


def test_a_wrong_character_and_one_beyond_the_answer_are_marked() -> None:
    table = tables.writings("ab", [("▷", "a", 0.9)], [("▷", "b", 0.5), ("b", "b", 0.5), ("b", "b", 0.5)])
    assert table["is_right"].tolist() == [True, True, True, False, True, False]
