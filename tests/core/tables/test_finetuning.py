"""Tables of fine-tuning: they add up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.lora import LowRank, relative_norm, singular_values, smoothed
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import finetuning as frames

RNG = np.random.default_rng(0)
CHANGES = [
    LowRank(layer, module, RNG.normal(size=(3, 8)), RNG.normal(size=(6, 3)), 0.5, 20.0)
    for layer in (0, 1)
    for module in ("q_proj", "up_proj")
]


def test_losses_hold_every_series_and_the_smoothed_one() -> None:
    train = [(1, 4.0), (2, 2.0), (3, 3.0)]
    table = frames.losses(train, [(0, 4.5), (2, 3.5)], [(0, 3.0)])
    assert tuple(table.columns) == frames.LOSSES
    assert table["series"].value_counts().to_dict() == {
        "train": 3, "smoothed": 3, "held_out": 2, "general": 1,
    }  # fmt: skip
    even = table[table["series"] == "smoothed"]
    assert even["step"].tolist() == [1, 2, 3]
    assert even["loss"].tolist() == smoothed([4.0, 2.0, 3.0]).tolist()


@pytest.mark.parametrize(("train", "held_out"), [([], []), ([(1, 4.0)], []), ([], [(0, 4.0)])])
def test_losses_keep_their_types_from_the_first_step(
    train: list[tuple[int, float]], held_out: list[tuple[int, float]]
) -> None:
    table = frames.losses(train, held_out, [])
    assert (table["step"].dtype, table["loss"].dtype) == (np.int64, np.float64)
    assert len(table) == 2 * len(train) + len(held_out)


def test_a_loss_that_cannot_be_drawn_is_missing() -> None:
    table = frames.losses([(1, 4.0), (2, math.inf), (3, math.nan)], [], [])
    assert table["loss"].isna().tolist() == [False, True, True] * 2


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60))
def test_each_example_is_counted_in_the_range_of_its_length(n_tokens: list[int]) -> None:
    table = frames.lengths(n_tokens)
    assert tuple(table.columns) == frames.LENGTHS
    assert len(table) <= frames.MOST_BINS
    assert (table["stop"] - table["n_tokens"]).nunique() == 1
    for low, stop, n in table.itertuples(index=False):
        assert n == sum(low <= length < stop for length in n_tokens)
    assert table["n"].sum() == len(n_tokens)
    assert table["n_tokens"].tolist()[1:] == table["stop"].tolist()[:-1]


def test_few_lengths_have_a_bar_each() -> None:
    assert frames.lengths([12, 12, 14]).to_numpy().tolist() == [[12, 13, 2], [13, 14, 0], [14, 15, 1]]
    assert frames.lengths([]).empty


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 64))
def test_rectangles_are_to_scale_and_fit_like_their_matrices(d_out: int, d_in: int, r: int) -> None:
    table = frames.areas(d_out, d_in, r)
    assert tuple(table.columns) == frames.AREAS
    wide, high = table["x2"] - table["x"], table["y2"] - table["y"]
    np.testing.assert_allclose(wide * high, table["n"])
    w, a, b = (row for _place, row in table.iterrows())
    assert (a["x"], a["x2"], b["y"], b["y2"]) == (w["x"], w["x2"], w["y"], w["y2"])
    assert a["y"] > w["y2"]
    assert b["x"] > w["x2"]


def test_rectangles_are_named_by_their_shapes() -> None:
    table = frames.areas(192, 576, 8)
    assert table[["matrix", "label", "n"]].to_numpy().tolist() == [
        ["W", "192 × 576", 110592], ["A", "8 × 576", 4608], ["B", "192 × 8", 1536],
    ]  # fmt: skip


def test_the_map_has_a_row_for_each_change() -> None:
    table = frames.delta_map(CHANGES)
    assert tuple(table.columns) == frames.DELTA_MAP
    assert table["relative_norm"].tolist() == [relative_norm(change) for change in CHANGES]
    broken = LowRank(0, "q_proj", np.ones((1, 2)), np.full((2, 1), np.inf), 1.0, 1.0)
    assert frames.delta_map([broken])["relative_norm"].isna().all()
    assert frames.delta_map([]).columns.tolist() == list(frames.DELTA_MAP)


def test_a_spectrum_is_that_of_the_module_asked_for() -> None:
    table = frames.spectrum(CHANGES, 1, "q_proj")
    assert tuple(table.columns) == frames.SPECTRUM
    assert table["place"].tolist() == [1, 2, 3]
    assert table["value"].tolist() == singular_values(CHANGES[2]).tolist()
    assert table["share"].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="no v_proj in layer 1"):
        frames.spectrum(CHANGES, 1, "v_proj")


def test_a_spectrum_of_zeros_has_no_shares() -> None:
    start = LowRank(0, "q_proj", np.ones((2, 3)), np.zeros((3, 2)), 1.0, 1.0)
    table = frames.spectrum([start], 0, "q_proj")
    assert table["value"].tolist() == [0, 0]
    assert table["share"].isna().all()


def test_strengths_are_rows_as_they_come() -> None:
    table = frames.strengths([(0.0, "a", 0.5), (1.5, "a", 0.25)])
    assert tuple(table.columns) == frames.STRENGTHS
    assert table["prob"].tolist() == [0.5, 0.25]


def test_scores_carry_their_interval() -> None:
    table = frames.question_scores(
        [("memorised", "before", 3, 12), ("memorised", "after", 12, 12), ("generalised", "before", 0, 0)]
    )
    assert tuple(table.columns) == frames.SCORES
    assert table["accuracy"].tolist() == [0.25, 1.0]
    assert tuple(table.loc[0, ["low", "high"]]) == wilson_interval(3, 12)
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()
