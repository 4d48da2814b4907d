"""Remedies against forgetting, by hand: the share of old rows, and the distance of low-rank changes to the start."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.lora import LowRank

Array = NDArray[np.float64]


def n_old_rows(n_new: int, share: float) -> int:
    """Old rows beside so many new ones, for which old rows are about this share of all; at least one.

    Args:
        n_new: New rows of a batch.
        share: Share of the old rows, below 1.

    Example:
        >>> n_old_rows(4, 0.2), n_old_rows(4, 0.5), n_old_rows(4, 0.05)
        (1, 4, 1)
    """
    return max(1, round(n_new * share / (1 - share)))


def distance(changes: Iterable[LowRank]) -> float:
    """Frobenius norm of the change of all weights together."""
    return float(np.sqrt(sum(one.norm**2 for one in changes)))


def penalty(strength: float, delta: ArrayLike, fisher: ArrayLike | None = None) -> float:
    """Penalty of a change of weights: strength / 2 times the sum of its squares, weighted or not.

    Args:
        strength: Factor.
        delta: Change of each weight. Shape [d_out, d_in].
        fisher: Fisher information of each weight (EWC), None for the plain distance (L2-SP). The same shape.

    Returns:
        Nats.

    Example:
        >>> penalty(2.0, [[1.0, 2.0]]), penalty(2.0, [[1.0, 2.0]], [[10.0, 0.0]])
        (5.0, 10.0)

    Source:
        Xuhong et al. 2018, arXiv:1802.01483, eq. 2. Kirkpatrick et al. 2017, arXiv:1612.00796, eq. 3.
    """
    squares: Array = np.square(np.asarray(delta, np.float64))
    weighted = squares if fisher is None else np.asarray(fisher, np.float64) * squares
    return strength / 2 * float(weighted.sum())
