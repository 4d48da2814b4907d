"""Correlation: equal to scipy."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from playground.core.metrics.correlation import pearson, spearman

numbers = st.integers(-20, 20).map(float)
pairs = st.lists(st.tuples(numbers, numbers), max_size=30)


@given(pairs)
def test_it_is_scipys(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).reshape(-1, 2).T
    for ours, theirs in ((pearson, stats.pearsonr), (spearman, stats.spearmanr)):
        found = ours(x, y)
        if len(rows) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
            assert math.isnan(found.value)
            assert (found.low, found.high) == (-1, 1)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert found.value == pytest.approx(theirs(x, y)[0], abs=1e-9)
            assert found.low <= found.value + 1e-9
            assert found.value - 1e-9 <= found.high


def test_pearsons_interval_is_scipys() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 25))
    found = pearson(x, x + y)
    theirs = stats.pearsonr(x, x + y).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_spearmans_interval_holds_the_truth_in_95_of_100_samples() -> None:
    draw, rho = np.random.default_rng(0), 0.5
    truth = 6 / math.pi * math.asin(rho / 2)
    inside = 0
    for _ in range(400):
        x, y = draw.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=40).T
        found = spearman(x, y)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        pearson([1, 2], [1])
