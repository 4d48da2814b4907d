"""Tables of quantization, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core.measured_quantization import Measured, MeasuredModel
from playground.core.quantization import Scheme
from playground.core.quantized_answers import next_token
from playground.core.tables import quantization as tables


def test_a_histogram_counts_every_weight_once_and_the_grid_stands_beside() -> None:
    weights = np.float32([[-1.0, 0.0, 0.0], [0.5, 1.0, 0.0]])
    frame = tables.grid(weights, weights[0], [-1.0, 0.0, 1.0])
    parts = frame.groupby("part")
    assert parts["n"].sum().to_dict() == {"all": 6, "these": 3, "grid": 0}
    assert parts["share"].sum()["all"] == pytest.approx(1)
    around_0 = frame[(frame["part"] == "all") & (frame["low"] < 0) & (frame["high"] > 0)]
    assert around_0["n"].tolist() == [3]
    assert frame[frame["part"] == "grid"]["value"].tolist() == [-1, 0, 1]


def test_layers_are_means_of_a_blocks_matrices() -> None:
    frame = tables.layers([(0, False, 0.1), (0, False, 0.3), (1, True, 0.5), (None, False, 9.0)], [0.0, 0.25])
    found = {(row["what"], row["layer"]): row["error"] for row in frame.to_dict("records")}
    assert found == {
        ("weights", 1): pytest.approx(0.2), ("target", 2): 0.5, ("states", 0): 0.0, ("states", 1): 0.25,
    }  # fmt: skip


def test_the_rows_shown_are_those_of_the_same_zero_point_and_outliers() -> None:
    schemes = [Scheme(4, "tensor"), Scheme(4, "channel"), Scheme(4, "tensor", is_symmetric=False)]
    rows = tuple(Measured(one, 40.0, 0.5, "a", 0.1, 4.0, 10**6, 0.1) for one in schemes)
    table = tables.measured(MeasuredModel("m", "r", "s", "a", 9, 30.0, 0.6, 4 * 10**6, rows))
    shown = tables.shown(table, schemes[1])
    assert shown["granularity"].tolist() == ["tensor", "channel"]
    assert shown["chosen"].tolist() == [False, True]
    assert shown["before"].tolist() == [30.0, 30.0]


def test_next_tokens_keep_both_times_of_every_token() -> None:
    answer = next_token(np.log([0.7, 0.2, 0.1]), np.log([0.1, 0.2, 0.7]), 1)
    frame = tables.next_tokens(("a", "c"), answer.before, answer.after)
    assert frame["p"].round(3).tolist() == [0.7, 0.1, 0.1, 0.7]
    assert frame["rank"].tolist() == [1, 2, 1, 2]
    assert answer.kl_bits == pytest.approx(0.6 * np.log2(7))
