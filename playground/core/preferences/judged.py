"""A reward model on preference pairs: its loss, and the share of pairs that it puts in the right order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.metrics.intervals import wilson_interval


@dataclass(frozen=True, slots=True)
class PairAccuracy:
    """Pairs whose chosen answer has the higher reward.

    Attributes:
        n: Pairs.
        n_right: Pairs in the right order; equal rewards are half of one.
        share: `n_right` / `n`, NaN without pairs; 0.5 is chance.
        low, high: Wilson's 95 % interval of `share`.
    """

    n: int
    n_right: float
    share: float
    low: float
    high: float


def pair_losses(chosen: ArrayLike, rejected: ArrayLike) -> NDArray[np.float64]:
    """Loss of a reward model on each pair: -log sigmoid(r_chosen - r_rejected), nats. Shape [pair].

    It is Bradley-Terry's likelihood with the rewards as strengths, so adding a number to all rewards changes
    nothing.

    Args:
        chosen, rejected: Rewards of both answers, nats of odds. Shape [pair].

    Example:
        >>> pair_losses([0.0, 2.0], [0.0, 0.0]).round(4).tolist()  # ln 2, and ln(1 + exp(-2))
        [0.6931, 0.1269]

    Source:
        Ouyang et al. 2022, "Training language models to follow instructions with human feedback",
        arXiv:2203.02155, equation 1, for pairs.
    """
    with np.errstate(invalid="ignore"):  # a run that diverged: NaN stays NaN
        margins = np.asarray(chosen, np.float64) - np.asarray(rejected, np.float64)
        return np.logaddexp(0.0, -margins)


def pair_accuracy(chosen: ArrayLike, rejected: ArrayLike) -> PairAccuracy:
    """Share of pairs that a reward puts in the right order, with its interval.

    Args:
        chosen, rejected: Rewards of both answers. Shape [pair].

    Raises:
        ValueError: A reward is NaN, or there are not as many of each.

    Example:
        >>> found = pair_accuracy([1.0, 0.5, 2.0], [0.0, 0.5, 3.0])
        >>> found.n_right, found.share
        (1.5, 0.5)
    """
    for_chosen, for_rejected = np.asarray(chosen, np.float64), np.asarray(rejected, np.float64)
    if for_chosen.shape != for_rejected.shape or for_chosen.ndim != 1:
        raise ValueError(f"rewards of pairs of shape {for_chosen.shape} and {for_rejected.shape}")
    if np.isnan(for_chosen).any() or np.isnan(for_rejected).any():
        raise ValueError("a reward is NaN")
    n = len(for_chosen)
    n_right = float((for_chosen > for_rejected).sum() + 0.5 * (for_chosen == for_rejected).sum())
    return PairAccuracy(n, n_right, n_right / n if n else float("nan"), *wilson_interval(n_right, n))
