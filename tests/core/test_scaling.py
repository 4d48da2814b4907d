"""Power laws through points: scipy's numbers, planted laws found again, intervals that hold what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from playground.core.scaling import FORMS, LEAST_POINTS, Form, can_fit, fit, frontier, t_quantile

SIZES = np.array([9e3, 3e4, 8e4, 2.1e5, 4.6e5, 9.1e5])


def noisy(a: float, b: float, c: float, noise: float, seed: int, x: np.ndarray = SIZES) -> np.ndarray:
    draw = np.random.default_rng(seed)
    losses: np.ndarray = (a * x**-b + c) * np.exp(noise * draw.standard_normal(len(x)))
    return losses


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30, 200])
@pytest.mark.parametrize("share", [0.6, 0.95, 0.975])
def test_the_quantile_is_scipys(freedom: int, share: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=2e-4)


def test_a_line_is_scipys_regression_of_the_logarithms() -> None:
    losses = noisy(9, 0.12, 0, 0.02, 1)
    found, known = fit(SIZES.tolist(), losses.tolist()), stats.linregress(np.log(SIZES), np.log(losses))
    assert found.b == pytest.approx(-known.slope)
    assert math.log(found.a) == pytest.approx(known.intercept)
    half = stats.t.ppf(0.975, len(SIZES) - 2) * known.stderr
    assert found.exponent_interval == pytest.approx((-known.slope - half, -known.slope + half), rel=1e-3)
    assert found.floor_interval == (0, 0)
    # the band at x = 1 is the interval of the intercept
    low, high = found.band(1.0)
    half = stats.t.ppf(0.975, len(SIZES) - 2) * known.intercept_stderr
    assert (float(np.log(low)), float(np.log(high))) == pytest.approx(
        (known.intercept - half, known.intercept + half), rel=1e-3
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_floor_is_the_least_squares_of_scipy(seed: int) -> None:
    losses = noisy(300, 0.5, 1.6, 0.01, seed)
    found = fit(SIZES.tolist(), losses.tolist(), "floor")
    near = SIZES / 1e5  # scipy stops early where the numbers are of very different size
    (a, b, c), _cov = optimize.curve_fit(
        lambda x, a, b, c: a * x**-b + c, near, losses, (1, 0.5, 1.0), sigma=losses,
        bounds=([0, 0.005, 0], [np.inf, 4, np.inf]), xtol=1e-12, ftol=1e-12,
    )  # fmt: skip
    ours = float(((found.at(SIZES) / losses - 1) ** 2).sum())
    theirs = float((((a * near**-b + c) / losses - 1) ** 2).sum())
    assert ours <= theirs * 1.001
    assert found.at(SIZES) == pytest.approx(a * near**-b + c, rel=1e-3)


@pytest.mark.parametrize(("a", "b", "c"), [(40, 0.3, 1.2), (300, 0.55, 2.0), (6, 0.07, 0)])
def test_a_planted_law_is_found_again(a: float, b: float, c: float) -> None:
    losses = noisy(a, b, c, 0, 0)
    found = fit(SIZES.tolist(), losses.tolist(), "floor" if c else "line")
    assert found.b == pytest.approx(b, rel=1e-3)
    assert found.c == pytest.approx(c, rel=2e-3)
    assert found.a == pytest.approx(a, rel=1e-2)
    assert found.at(5e6) == pytest.approx(a * 5e6**-b + c, rel=1e-3)


@pytest.mark.parametrize(("form", "c", "least"), [("line", 0.0, 0.9), ("floor", 1.4, 0.8)])
def test_the_interval_holds_the_planted_exponent_about_as_often_as_it_says(
    form: Form, c: float, least: float
) -> None:
    """A line's interval is exact; that of a floor, by resampling of few points, is known to be too narrow."""
    held = 0
    for seed in range(60):
        law = fit(SIZES.tolist(), noisy(80, 0.4, c, 0.01, seed).tolist(), form)
        low, high = law.exponent_interval
        held += low <= 0.4 <= high
    assert least * 60 <= held


@pytest.mark.parametrize("form", FORMS)
def test_a_band_encloses_its_law_and_widens_away_from_the_points(form: Form) -> None:
    law = fit(SIZES.tolist(), noisy(80, 0.4, 1.4, 0.02, 3).tolist(), form)
    x = np.geomspace(1e4, 1e9, 30)
    low, high = law.band(x)
    assert (low <= law.at(x) * (1 + 1e-9)).all()
    assert (law.at(x) <= high * (1 + 1e-9)).all()
    widths = high / low
    assert widths[-1] > widths[10]
    assert low.shape == x.shape


def test_the_same_seed_gives_the_same_interval() -> None:
    losses = noisy(80, 0.4, 1.4, 0.02, 3).tolist()
    once, again, other = (fit(SIZES.tolist(), losses, "floor", seed) for seed in (1, 1, 2))
    assert once.exponent_interval == again.exponent_interval != other.exponent_interval


def test_a_loss_that_rises_has_a_law_too() -> None:
    rising = fit([1, 10, 100, 1_000], [1.0, 1.1, 1.25, 1.3])
    assert rising.b < 0
    flat = fit([1, 10, 100, 1_000], [2.0, 2.0, 2.0, 2.0], "floor")
    assert flat.at(1e6) == pytest.approx(2.0)


@pytest.mark.parametrize("form", FORMS)
def test_too_few_points_are_refused(form: Form) -> None:
    n = LEAST_POINTS[form]
    assert can_fit(list(range(1, n + 1)), form)
    with pytest.raises(AssertionError):
        fit(list(range(1, n)), [1.0] * (n - 1), form)


def test_nothing_beats_a_point_of_the_frontier() -> None:
    draw = np.random.default_rng(0)
    compute, loss = draw.uniform(1, 9, 40).tolist(), draw.uniform(1, 9, 40).tolist()
    kept = frontier(compute, loss)
    for place in range(40):
        beaten = any(
            compute[other] <= compute[place] and loss[other] < loss[place]
            for other in range(40)
            if other != place
        )
        assert (place in kept) == (not beaten)
