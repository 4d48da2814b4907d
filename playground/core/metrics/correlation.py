"""Correlation of two lists of numbers: do they rise together, as a line (Pearson) or in rank (Spearman)?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with its 95 % interval.

    Attributes:
        value: From -1 to 1; NaN with fewer than two items, or where one list has one value only.
        low, high: Sides of the interval; -1 and 1 with fewer than four items, where nothing is ruled out.
        n: Items.
    """

    value: float
    low: float
    high: float
    n: int


def pearson(first: ArrayLike, second: ArrayLike) -> Correlation:
    """Pearson's correlation, with the interval of Fisher's z.

    Args:
        first, second: Numbers in pairs, shape [item].

    Example:
        >>> found = pearson([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
        >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
        (0.775, -0.34, 0.984)

    Source:
        Fisher 1921, "On the 'probable error' of a coefficient of correlation deduced from a small sample".
    """
    x, y = _pairs(first, second)
    value = _product_moment(x, y)
    return _with_interval(value, len(x), 1.0)


def spearman(first: ArrayLike, second: ArrayLike) -> Correlation:
    """Spearman's correlation: Pearson's of the ranks, equal values sharing their mean rank.

    Args:
        first, second: Numbers in pairs, shape [item].

    Example:
        >>> spearman([1, 2, 3, 4], [1, 10, 100, 1000]).value
        1.0

    Source:
        Interval: Bonett & Wright 2000, "Sample size requirements for estimating Pearson, Kendall and Spearman
        correlations", Psychometrika 65.
    """
    x, y = _pairs(first, second)
    value = _product_moment(_ranks(x), _ranks(y))
    return _with_interval(value, len(x), 1 + value * value / 2)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(pd.Series(values).rank(), dtype=np.float64)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"no pairs: {x.shape} and {y.shape}")
    return x, y


def _product_moment(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    x, y = ((each - each.mean()) / np.ptp(each) for each in (x, y))
    return min(1.0, max(-1.0, float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))))


def _with_interval(value: float, n: int, variance: float) -> Correlation:
    """An interval symmetric in z = artanh(value), whose variance is `variance` / (n - 3)."""
    if n < 4 or math.isnan(value):
        return Correlation(value, -1.0, 1.0, n)
    z = math.atanh(min(1 - 1e-12, max(-1 + 1e-12, value)))
    half = 1.96 * math.sqrt(variance / (n - 3))
    return Correlation(value, math.tanh(z - half), math.tanh(z + half), n)
