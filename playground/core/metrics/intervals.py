"""Intervals of metrics: the sides between which the value of all such items probably lies, judged by some."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 1_000


def wilson_interval(n_right: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Args:
        n_right: Right answers; a mean over several runs on the same items need not be whole.
        n: Items; without any, every share is possible.
        z: 1.96 for 95 %.

    Example:
        >>> tuple(round(side, 3) for side in wilson_interval(10, 20))
        (0.299, 0.701)
        >>> wilson_interval(0, 0)
        (0.0, 1.0)

    Source:
        Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22.
    """
    if not n:
        return 0.0, 1.0
    share = n_right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float], n: int, *, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of a figure that has no formula of its own.

    Args:
        statistic: The figure of some items, given their numbers 0 to n - 1 with repeats, shape [n]; a
            resample for which it is NaN does not count.
        n: Items.
        seed: The same seed draws the same resamples.
        n_resamples: Resamples that are drawn.

    Returns:
        Both sides; NaN twice without items, or where no resample has a value.

    Example:
        >>> scores = np.array([0.2, 0.4, 0.6, 0.8])
        >>> low, high = bootstrap_interval(lambda at: float(scores[at].mean()), 4)
        >>> round(low, 2), round(high, 2)
        (0.3, 0.7)

    Source:
        Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    if not n:
        return float("nan"), float("nan")
    draw = np.random.default_rng(seed)
    values = np.array([statistic(draw.integers(0, n, n)) for _ in range(n_resamples)])
    return percentile_interval(values)


def percentile_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of some resampled values.

    Args:
        values: Shape [resample]; NaN where a resample has none.

    Example:
        >>> percentile_interval(np.arange(101.0))
        (2.5, 97.5)
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def includes(interval: tuple[float, float], chance: float) -> bool:
    """True if guessing is not ruled out: the figure of chance lies between the sides, or nothing is known.

    Example:
        >>> includes((0.42, 0.71), 0.5), includes((0.62, 0.91), 0.5)
        (True, False)
    """
    low, high = interval
    return not (chance < low or chance > high)
