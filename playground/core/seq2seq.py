"""Alignments, gradients and texts of networks that turn one sequence into another, as single numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def strongest(weights: NDArray[np.float32]) -> NDArray[np.int64]:
    """Source position with the largest weight of each step. Shape [step, source] -> [step]."""
    return np.asarray(weights.argmax(axis=1), dtype=np.int64)


def rank_correlation(weights: NDArray[np.float32]) -> float:
    """Spearman's correlation of the steps and the places they look at most: 1 keeps the order, -1 turns it.

    0 where all steps look at one place.

    Args:
        weights: Attention over the source. Shape [step, source].

    Example:
        >>> rank_correlation(np.eye(4)), rank_correlation(np.eye(4)[::-1]), rank_correlation(np.ones((3, 2)))
        (1.0, -1.0, 0.0)
    """
    places = pd.Series(strongest(weights))
    if places.nunique() < 2:
        return 0.0
    steps = pd.Series(np.arange(len(places), dtype=np.float64))
    return round(float(places.rank().corr(steps.rank())), 12)


def longest_way_back(weights: NDArray[np.float32]) -> int:
    """The step, from 0, that goes furthest back in the source; 0 where none does.

    Args:
        weights: Attention over the source. Shape [step, source].

    Example:
        >>> longest_way_back(np.eye(4)[[2, 3, 0, 1]]), longest_way_back(np.eye(4))
        (2, 0)
    """
    moves = np.diff(strongest(weights))
    return int(moves.argmin()) + 1 if moves.min(initial=0) < 0 else 0


def contributions(weights: NDArray[np.float32], states: NDArray[np.float32]) -> NDArray[np.float64]:
    """Length of each part of the context vector: weight times the norm of its state.

    Args:
        weights: Attention over the source. Shape [step, source].
        states: Encoder states. Shape [source, d_hidden].

    Returns:
        Shape [step, source].
    """
    lengths: NDArray[np.float64] = np.linalg.norm(states.astype(np.float64), axis=1)
    parts: NDArray[np.float64] = weights.astype(np.float64) * lengths
    return parts


def relative_norms(norms: NDArray[np.float32]) -> NDArray[np.float64]:
    """Gradient norms divided by the largest of them; all 0 where nothing moves the output. Shape [source].

    Example:
        >>> relative_norms(np.array([1, 2, 4])).tolist()
        [0.25, 0.5, 1.0]
    """
    largest = float(norms.max(initial=0))
    return norms.astype(np.float64) / largest if largest else np.zeros(len(norms))


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> int | None:
    """First place where two sequences differ, the end of the shorter one too; None where they are equal.

    Example:
        >>> first_difference("2026-05-03", "2026-06-03"), first_difference("ab", "abc")
        (6, 2)
        >>> first_difference("ab", "ab") is None
        True
    """
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return None if len(one) == len(other) else min(len(one), len(other))


def shared_by_length(
    one: Sequence[tuple[int, int, int]], other: Sequence[tuple[int, int, int]]
) -> tuple[int, float, float] | None:
    """Length at which two networks differ most in exact match, and their shares there; None without one.

    Args:
        one, other: Length of the source, pairs that are right, pairs that were asked.

    Example:
        >>> shared_by_length([(10, 9, 10), (20, 9, 10)], [(10, 8, 10), (20, 1, 10), (30, 0, 10)])
        (20, 0.9, 0.1)
    """
    shares = {length: right / asked for length, right, asked in other if asked}
    both = [
        (length, right / asked, shares[length]) for length, right, asked in one if asked and length in shares
    ]
    return max(both, key=lambda at: (abs(at[1] - at[2]), at[0]), default=None)
