"""Bradley-Terry: a textbook's table, two other ways to the same maximum, and votes without a maximum."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from playground.core.preferences.strengths import (
    PRIOR_DRAWS,
    Z,
    fit,
    groups_of,
    has_maximum,
    log_likelihood,
)

# American League 1987, games won by the row against the column; Agresti, "Categorical Data Analysis"
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL = np.array([
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
])  # fmt: skip
PUBLISHED = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.00)

counts = st.integers(2, 6).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.integers(0, 6).map(lambda halves: halves / 2))
)


def without_diagonal(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    return wins * (1 - np.eye(len(wins)))


def by_scikit_learn(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression without a penalty: a vote is a row, +1 for one item and -1 for the other."""
    n = len(wins)
    rows, weights = [], []
    for i, j in combinations(range(n), 2):
        row = np.zeros(n)
        row[i], row[j] = 1, -1
        rows += [row, row]
        weights += [wins[i, j], wins[j, i]]
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=10_000)
    model.fit(np.array(rows), np.tile([1, 0], len(rows) // 2), sample_weight=np.array(weights))
    coefficients = np.asarray(model.coef_[0], np.float64)
    return coefficients - coefficients.mean()


def test_a_textbooks_table() -> None:
    found = fit(BASEBALL)
    assert found.prior_draws == 0
    assert (found.values - found.values[-1]).round(2).tolist() == list(PUBLISHED)


def test_the_maximum_is_that_of_scikit_learn_and_of_scipy() -> None:
    wins = BASEBALL.astype(np.float64)
    found = fit(wins)
    np.testing.assert_allclose(found.values, by_scikit_learn(wins), atol=1e-5)
    best = minimize(lambda s: -log_likelihood(np.append(s, 0), wins), np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(found.values - found.values[-1], np.append(best.x, 0), atol=1e-5)


def test_intervals_are_those_of_the_inverse_of_numerical_second_derivatives() -> None:
    """With the last strength held at 0, as textbooks do: variances of differences do not depend on that."""
    wins, step = BASEBALL.astype(np.float64), 1e-4
    found = fit(wins)
    at = (found.values - found.values[-1])[:-1]
    hessian = np.zeros((6, 6))
    for i, j in np.ndindex(6, 6):
        for sign_i, sign_j in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            moved = at + step * (sign_i * np.eye(6)[i] + sign_j * np.eye(6)[j])
            hessian[i, j] -= sign_i * sign_j * log_likelihood(np.append(moved, 0), wins) / (4 * step**2)
    covariance = np.linalg.inv(hessian)
    for item in range(6):
        value, low, high = found.difference(item, 6)
        assert (high - low) / 2 == pytest.approx(Z * np.sqrt(covariance[item, item]), rel=1e-4)
        assert low < value < high
    value, low, high = found.difference(0, 1)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert (high - value) == pytest.approx(Z * np.sqrt(variance), rel=1e-4)


def test_two_answers_by_hand() -> None:
    """3 votes against 1: ln 3, with variance 1/3 + 1/1; the chance is the share of the votes."""
    found = fit([[0, 3], [1, 0]])
    value, low, high = found.difference(0, 1)
    assert value == pytest.approx(np.log(3))
    assert (high - low) / 2 == pytest.approx(Z * np.sqrt(1 / 3 + 1))
    assert found.chance(0, 1)[0] == pytest.approx(0.75)
    assert found.chance(1, 0)[0] == pytest.approx(0.25)


def test_a_single_vote_has_no_maximum_and_gets_the_weak_prior() -> None:
    found = fit([[0, 1], [0, 0]])
    assert found.prior_draws == PRIOR_DRAWS
    value, low, high = found.difference(0, 1)
    assert low < 0 < value < high, "one vote is no proof"
    with pytest.raises(ValueError, match="no maximum"):
        fit([[0, 1], [0, 0]], prior_draws=0)


def test_all_votes_one_way_stay_finite_and_grow_with_the_votes() -> None:
    few, many = fit([[0, 3], [0, 0]]), fit([[0, 30], [0, 0]])
    assert few.difference(0, 1)[0] < many.difference(0, 1)[0] < 10
    assert many.difference(0, 1)[1] > 0, "thirty votes are"


def test_the_prior_is_a_win_and_a_loss_of_each_answer_against_an_imagined_one_of_strength_0() -> None:
    """Equal to maximum likelihood with that answer among the others."""
    wins = np.array([[0, 4, 1], [0, 0, 2], [0, 0, 0]], np.float64)
    with_imagined = np.zeros((4, 4))
    with_imagined[:3, :3], with_imagined[3, :3], with_imagined[:3, 3] = wins, 1, 1
    found, other = fit(wins), fit(with_imagined)
    assert (found.prior_draws, other.prior_draws) == (2, 0)
    np.testing.assert_allclose(found.values, other.values[:3] - other.values[3], atol=1e-9)
    for item in range(3):
        np.testing.assert_allclose(found.interval(item)[1:], other.difference(item, 3)[1:], atol=1e-9)


def test_answers_without_votes_between_them_are_not_compared() -> None:
    wins = np.zeros((5, 5))
    wins[0, 1], wins[1, 0], wins[2, 3], wins[3, 2] = 3, 1, 1, 1
    found = fit(wins)
    assert found.groups.tolist() == [0, 0, 1, 1, 2]
    assert found.prior_draws == 0
    assert np.isnan(found.difference(0, 2)).all()
    assert np.isnan(found.chance(0, 2)).all()
    assert found.difference(0, 1)[0] == pytest.approx(np.log(3))
    assert found.interval(2)[0] == pytest.approx(0)
    assert np.isnan(found.interval(4)[1:]).all(), "nothing is known of an answer without votes"


def test_a_circle_is_a_tie_and_nothing_to_compare_is_nothing() -> None:
    assert fit([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).values == pytest.approx(np.zeros(3))
    assert len(fit(np.zeros((0, 0))).values) == 0


@pytest.mark.parametrize(
    "wins", [[1, 2], [[0, 1]], [[0, -1], [1, 0]], [[0, np.nan], [1, 0]], [[1, 1], [1, 0]]]
)
def test_counts_that_are_none_are_refused(wins: list[object]) -> None:
    with pytest.raises(ValueError, match="wins are"):
        fit(wins)


@settings(deadline=None)
@given(counts)
def test_there_the_score_is_zero_and_everybody_wins_as_often_as_expected(wins: NDArray[np.float64]) -> None:
    wins = without_diagonal(wins)
    found = fit(wins)
    chance = 1 / (1 + np.exp(found.values[None, :] - found.values[:, None]))
    expected = ((wins + wins.T) * chance).sum(1)
    own = found.prior_draws * (0.5 - 1 / (1 + np.exp(-found.values)))
    np.testing.assert_allclose(wins.sum(1) + own, expected, atol=1e-7)


@settings(deadline=None)
@given(counts, st.integers(2, 4))
def test_more_of_the_same_votes_leave_the_strengths_and_narrow_the_intervals(
    wins: NDArray[np.float64], times: int
) -> None:
    wins = without_diagonal(wins)
    if not has_maximum(wins):
        return
    once, often = fit(wins), fit(times * wins)
    np.testing.assert_allclose(once.values, often.values, atol=1e-7)
    np.testing.assert_allclose(once.covariance, times * often.covariance, atol=1e-7)


@settings(deadline=None)
@given(counts)
def test_turned_votes_turn_the_strengths(wins: NDArray[np.float64]) -> None:
    wins = without_diagonal(wins)
    np.testing.assert_allclose(fit(wins).values, -fit(wins.T).values, atol=1e-7)
    assert has_maximum(wins) == has_maximum(wins.T)
    for group in set(groups_of(wins).tolist()):
        if has_maximum(wins):
            assert fit(wins).values[groups_of(wins) == group].mean() == pytest.approx(0, abs=1e-9)
