"""Bradley-Terry: a strength for each answer, so that the difference of two gives the chance of each to win.

    P(i is preferred to j) = sigmoid(s_i - s_j)

Strengths are in nats of odds: ln 3 more means preferred three times out of four. Only differences mean
something, and only among answers that votes connect: each such group has a mean of 0.

The likelihood has a maximum if and only if, within a group, each answer can be reached from each other one
along wins (Ford 1957). After a single vote, or where an answer has won or lost all its votes, it has none:
the strengths run away. Then every answer is given `PRIOR_DRAWS` ties against an imagined answer of strength
0: as much as one win and one loss, which make each chance to win against it equally likely beforehand. The
result says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PRIOR_DRAWS = 2.0
Z = 1.96  # 95 %
_MAX_STEPS = 200
_SMALLEST_STEP = 1e-11

Array = NDArray[np.float64]
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Strengths:
    """Estimated strengths of some answers.

    Attributes:
        values: Strength of each, nats. Shape [item].
        covariance: Inverse of the observed information, without the direction in which all strengths of a
            group move alike. Shape [item, item].
        groups: Number of the group of each, from 0: answers that votes connect. Shape [item].
        prior_draws: Ties of each answer against an imagined one of strength 0; 0 for maximum likelihood.
    """

    values: Array
    covariance: Array
    groups: NDArray[np.int64]
    prior_draws: float

    def interval(self, item: int) -> Interval:
        """Strength of an answer with the sides of its 95 % interval (Wald's), nats.

        Sides are NaN for an answer without votes, of which nothing is known.
        """
        if not self.prior_draws and (self.groups == self.groups[item]).sum() == 1:
            return float(self.values[item]), float("nan"), float("nan")
        return _wald(float(self.values[item]), float(self.covariance[item, item]))

    def difference(self, first: int, second: int) -> Interval:
        """Strength that the first has more than the second, with its 95 % interval, nats; NaN where no votes
        connect them, directly or over others.
        """
        if self.groups[first] != self.groups[second]:
            return float("nan"), float("nan"), float("nan")
        variance = (
            self.covariance[first, first]
            + self.covariance[second, second]
            - 2 * self.covariance[first, second]
        )
        return _wald(float(self.values[first] - self.values[second]), float(variance))

    def chance(self, first: int, second: int) -> Interval:
        """Probability that the first is preferred to the second, with its 95 % interval."""
        value, low, high = (_sigmoid(np.array(side)) for side in self.difference(first, second))
        return float(value), float(low), float(high)


def has_maximum(wins: ArrayLike) -> bool:
    """True if the likelihood of the strengths has a maximum in every group of answers.

    Args:
        wins: [i, j] is the number of votes for i against j. Shape [item, item].

    Example:
        >>> has_maximum([[0, 1], [0, 0]]), has_maximum([[0, 3], [1, 0]])
        (False, True)

    Source:
        Ford 1957, "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64; assumption
        1 of Hunter 2004.
    """
    counts = _checked(wins)
    won = _reachable(counts > 0)
    return bool((won == _reachable((counts + counts.T) > 0)).all())


def groups_of(wins: ArrayLike) -> NDArray[np.int64]:
    """Number of the group of each answer: those that votes connect share one. Shape [item].

    Args:
        wins: [i, j] is the number of votes for i against j. Shape [item, item].

    Example:
        >>> groups_of([[0, 1, 0], [0, 0, 0], [0, 0, 0]]).tolist()
        [0, 0, 1]
    """
    counts = _checked(wins)
    first = [int(row.argmax()) for row in _reachable((counts + counts.T) > 0)]
    number = {item: at for at, item in enumerate(dict.fromkeys(first))}
    return np.array([number[item] for item in first], np.int64)


def fit(wins: ArrayLike, prior_draws: float | None = None) -> Strengths:
    """Strengths by maximum likelihood, found by Newton's method; the likelihood is concave.

    Args:
        wins: [i, j] is the number of votes for i against j; ties are half a vote for each. Shape [item,
            item].
        prior_draws: Ties of each answer against an imagined answer of strength 0. None takes 0 where there is
            a maximum without, and otherwise `PRIOR_DRAWS`.

    Raises:
        ValueError: Counts are not a square of finite numbers of at least 0 with an empty diagonal, or there
            is no maximum and `prior_draws` is 0.

    Example:
        >>> found = fit([[0, 3], [1, 0]])  # 3 of 4 votes: a difference of ln 3
        >>> found.values.round(4).tolist(), [round(side, 3) for side in found.chance(0, 1)]
        ([0.5493, -0.5493], [0.75, 0.238, 0.966])
        >>> found = fit([[0, 1], [0, 0]])  # a single vote
        >>> found.prior_draws, round(found.chance(0, 1)[0], 3)
        (2.0, 0.742)

    Source:
        Bradley & Terry 1952, "Rank Analysis of Incomplete Block Designs", Biometrika 39. Hunter 2004, "MM
        algorithms for generalized Bradley-Terry models", Annals of Statistics 32. The prior: Whelan 2017,
        "Prior distributions for the Bradley-Terry model of paired comparisons", arXiv:1712.05311 (games
        against a fictitious team).
    """
    counts = _checked(wins)
    if prior_draws is None:
        prior_draws = 0.0 if has_maximum(counts) else PRIOR_DRAWS
    elif not prior_draws and not has_maximum(counts):
        raise ValueError("the likelihood has no maximum: some answer has won, or lost, all its votes")
    groups = groups_of(counts)
    alike = (groups[:, None] == groups) / np.bincount(groups)[groups][:, None] if not prior_draws else 0.0
    values = np.zeros(len(counts))
    best = log_likelihood(values, counts, prior_draws)
    for _ in range(_MAX_STEPS):
        step = np.linalg.solve(
            _information(values, counts, prior_draws) + alike, _score(values, counts, prior_draws)
        )
        size = 1.0
        while (found := log_likelihood(values + size * step, counts, prior_draws)) < best - 1e-12 * abs(best):
            size /= 2
        values, best = values + size * step, found
        if np.abs(step).max(initial=0.0) < _SMALLEST_STEP:
            break
    covariance = np.linalg.inv(_information(values, counts, prior_draws) + alike) - alike
    return Strengths(values, covariance, groups, prior_draws)


def log_likelihood(strengths: ArrayLike, wins: ArrayLike, prior_draws: float = 0.0) -> float:
    """Log-likelihood of strengths, nats, with the ties of the prior.

    Args:
        strengths: Nats. Shape [item].
        wins: [i, j] is the number of votes for i against j. Shape [item, item].
        prior_draws: Ties of each answer against an imagined answer of strength 0.

    Example:
        >>> round(log_likelihood([0.0, 0.0], [[0, 1], [1, 0]]), 4)  # 2 ln 1/2
        -1.3863
    """
    values, counts = np.asarray(strengths, np.float64), np.asarray(wins, np.float64)
    lost = np.logaddexp(0.0, values[None, :] - values[:, None])  # -log P(i is preferred to j)
    prior = prior_draws / 2 * (np.logaddexp(0.0, values) + np.logaddexp(0.0, -values))
    return -float((counts * lost).sum() + prior.sum())


def _score(values: Array, counts: Array, prior_draws: float) -> Array:
    """Gradient of the log-likelihood. Shape [item]."""
    both = counts + counts.T
    expected = both * _sigmoid(values[:, None] - values[None, :])
    score: Array = counts.sum(1) - expected.sum(1) + prior_draws * (0.5 - _sigmoid(values))
    return score


def _information(values: Array, counts: Array, prior_draws: float) -> Array:
    """Negative second derivatives of the log-likelihood. Shape [item, item]."""
    chance = _sigmoid(values[:, None] - values[None, :])
    weights = (counts + counts.T) * chance * (1 - chance)
    own = _sigmoid(values)
    information: Array = np.diag(weights.sum(1) + prior_draws * own * (1 - own)) - weights
    return information


def _checked(wins: ArrayLike) -> Array:
    counts = np.asarray(wins, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"wins are a square, one row and one column an item, got the shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or np.diagonal(counts).any():
        raise ValueError("wins are finite numbers of at least 0, and nobody wins against itself")
    return counts


def _reachable(edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[i, j] is True if edges lead from i to j; every item reaches itself. Shape [item, item]."""
    reached = edges | np.eye(len(edges), dtype=np.bool_)
    for _ in range(len(edges).bit_length()):
        reached = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
    return reached


def _wald(value: float, variance: float) -> Interval:
    half = Z * float(np.sqrt(max(variance, 0.0)))
    return value, value - half, value + half


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow, of the same shape."""
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        return np.exp(-np.logaddexp(0.0, -x))
