"""Intervals: Wilson's, the bootstrap's, and chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from playground.core.metrics.intervals import bootstrap_interval, includes, wilson_interval


@given(st.integers(1, 500), st.data())
def test_interval_is_wilsons(n: int, data: st.DataObject) -> None:
    n_right = data.draw(st.integers(0, n))
    low, high = wilson_interval(n_right, n)
    assert 0 <= low <= n_right / n + 1e-12
    assert n_right / n - 1e-12 <= high <= 1
    z = 1.96
    for side in (low, high):  # both sides solve (p - share)² = z² p (1 - p) / n
        if 0 < side < 1:
            assert (side - n_right / n) ** 2 == pytest.approx(z * z * side * (1 - side) / n, abs=1e-9)


def test_an_interval_without_items_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=30))
@settings(max_examples=10)
def test_the_bootstrap_is_that_of_numpys_resamples(values: list[float]) -> None:
    scores = np.array(values)
    ours = bootstrap_interval(lambda at: float(scores[at].mean()), len(scores))
    draw = np.random.default_rng(0)
    theirs = np.percentile(
        [scores[draw.integers(0, len(scores), len(scores))].mean() for _ in range(1000)], [2.5, 97.5]
    )
    assert ours == pytest.approx(tuple(theirs))
    assert ours == bootstrap_interval(lambda at: float(scores[at].mean()), len(scores))


def test_the_bootstraps_width_is_that_of_scipys_percentile_method() -> None:
    scores = np.random.default_rng(1).normal(size=60)
    low, high = bootstrap_interval(lambda at: float(scores[at].mean()), 60, n_resamples=4000)
    theirs = stats.bootstrap((scores,), np.mean, method="percentile", rng=2).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_resamples_without_a_value_do_not_count() -> None:
    low, high = bootstrap_interval(lambda at: float("nan") if at[0] else 1.0, 2)
    assert (low, high) == (1.0, 1.0)
    assert np.isnan(bootstrap_interval(lambda _at: float("nan"), 3)).all()
    assert np.isnan(bootstrap_interval(lambda _at: 1.0, 0)).all()


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.4, 0.6), True), ((0.5, 0.6), True), ((0.51, 0.6), False), ((0.1, 0.49), False)],
)
def test_chance_is_included_between_the_sides(interval: tuple[float, float], expected: bool) -> None:
    assert includes(interval, 0.5) is expected


def test_an_unknown_interval_rules_chance_not_out() -> None:
    assert includes((float("nan"), float("nan")), 0.5)
