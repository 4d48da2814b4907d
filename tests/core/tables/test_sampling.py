"""The tables say what the distributions say."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core.ranking import rank
from playground.core.sampling import GREEDY, Sampling, distribution
from playground.core.tables import sampling as frames

RANKED = rank(np.log(np.array([0.05, 0.5, 0.15, 0.3])))
NAMES = ["b", "d", "c", "a"]


def test_sampling_table_of_a_textbook_nucleus() -> None:
    table = frames.sampling(RANKED, NAMES, Sampling(top_p=0.7))
    assert table["token_id"].tolist() == [1, 3, 2, 0]
    assert table["kept"].tolist() == [True, True, False, False]
    assert table["drawn"].tolist() == pytest.approx([0.625, 0.375, 0, 0])
    assert table["model"].tolist() == table["tempered"].tolist() == pytest.approx([0.5, 0.3, 0.15, 0.05])
    assert table["cumulative"].tolist() == pytest.approx([0.5, 0.8, 0.95, 1.0])


def test_sampling_table_separates_the_model_from_the_temperature() -> None:
    table = frames.sampling(RANKED, NAMES, Sampling(temperature=0.5))
    squares = np.array([0.25, 0.09, 0.0225, 0.0025])
    assert table["tempered"].tolist() == pytest.approx((squares / squares.sum()).tolist())
    assert table["model"].tolist() == pytest.approx([0.5, 0.3, 0.15, 0.05])


def test_sampling_table_of_greedy_has_one_token() -> None:
    table = frames.sampling(RANKED, NAMES, GREEDY)
    assert table["kept"].tolist() == [True, False, False, False]
    assert table["drawn"].tolist() == table["tempered"].tolist() == [1, 0, 0, 0]


def test_sampling_table_shows_what_a_cut_ahead_of_the_greedy_choice_saw() -> None:
    """Entropy 1.65 bits; -log2 0.3 = 1.74 is nearest to it, so typical-p keeps the second token alone."""
    table = frames.sampling(RANKED, NAMES, Sampling(temperature=0, typical_p=0.1, order="llama.cpp"))
    assert table["drawn"].tolist() == [0, 1, 0, 0]
    assert table["tempered"].tolist() == pytest.approx([0.5, 0.3, 0.15, 0.05]), "not 100 % beside 100 %"
    assert table["cumulative"].tolist() == pytest.approx([0.5, 0.8, 0.95, 1.0])


@pytest.mark.parametrize("names", [NAMES[:2], [*NAMES, "x", "y"]])
def test_sampling_table_has_a_row_for_each_named_token(names: list[str]) -> None:
    table = frames.sampling(RANKED, names, Sampling(top_k=1))
    assert len(table) == min(len(names), 4)
    assert table["kept"].sum() == 1


def test_temperature_curve_starts_greedy_and_rises() -> None:
    points = frames.curve_points(RANKED, [0, 0.5, 1, 3], Sampling(top_p=0.7), now=False)
    curve = frames.temperature_curve(points)
    everything = curve[curve["tokens"] == "all"]
    assert everything["entropy_bits"].iloc[0] == 0
    assert everything["entropy_bits"].is_monotonic_increasing
    assert everything["n_kept"].tolist() == [1, 4, 4, 4]
    kept = curve[curve["tokens"] == "kept"]
    assert (kept["entropy_bits"].to_numpy() <= everything["entropy_bits"].to_numpy()).all()
    assert kept["n_kept"].iloc[2] == distribution(RANKED, Sampling(top_p=0.7)).n_kept


def test_continuation_of_nothing_keeps_its_columns() -> None:
    assert list(frames.continuation([]).columns) == list(frames.GeneratedToken._fields)
