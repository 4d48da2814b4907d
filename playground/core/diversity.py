"""Diversity of several continuations, and repetition within one."""

from __future__ import annotations

import math
from collections.abc import Sequence


def _ngrams(tokens: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]


def distinct(texts: Sequence[Sequence[int]], n: int) -> float:
    """Share of different n-grams among all n-grams of several texts; NaN where there are none.

    Args:
        texts: Token ids of each.
        n: Length of the n-grams.

    Example:
        >>> distinct([[1, 2, 3], [1, 2, 4]], 1), distinct([[1, 2, 3], [1, 2, 4]], 2)
        (0.6666666666666666, 0.75)

    Source:
        Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models",
        arXiv:1510.03055, 5.
    """
    grams = [gram for text in texts for gram in _ngrams(text, n)]
    return len(set(grams)) / len(grams) if grams else math.nan


def repeated(tokens: Sequence[int], n: int = 4) -> float:
    """Share of the n-grams of one text that occurred earlier in it; NaN for a text shorter than n.

    Example:
        >>> repeated([1, 2, 3, 4, 1, 2, 3, 4], 4)
        0.19999999999999996

    Source:
        Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training", arXiv:1908.04319, 6.1.
    """
    return 1 - distinct([tokens], n)
