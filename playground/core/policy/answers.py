"""Answers of different lengths as arrays of tokens with a mask; bounds of what a run may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LIMITS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"beta": (1e-3, 10.0), "epsilon": (0.01, 1.0), "kl_beta": (0.0, 10.0)}
)
"""Name -> the least and the most that a run may ask for. With DPO's beta at 0 nothing would be learned."""


def summed(logprobs: ArrayLike, mask: ArrayLike) -> Array:
    """Log-probability of each answer: the sum over its tokens, nats. Shape [answer].

    Args:
        logprobs: Log-probability of each token given what stands before it, nats. Shape [answer, token].
        mask: True for the tokens of the answer; others may hold anything. Shape [answer, token].

    Example:
        >>> summed([[-1.0, -2.0], [-3.0, np.nan]], [[True, True], [True, False]]).tolist()
        [-3.0, -3.0]
    """
    values, counts = np.asarray(logprobs, np.float64), np.asarray(mask, np.bool_)
    total: Array = np.where(counts, values, 0.0).sum(-1)
    return total


def masked_share(flags: ArrayLike, mask: ArrayLike) -> float:
    """Share of the tokens of answers for which something is true; NaN without tokens.

    Args:
        flags: True or False for each token, as `Clipped.is_clipped`. Shape [answer, token].
        mask: True for the tokens of the answers. Shape [answer, token].

    Example:
        >>> masked_share([[True, False], [True, True]], [[True, True], [True, False]]) == 2 / 3
        True
    """
    counts = np.asarray(mask, np.bool_)
    return float(np.asarray(flags, np.bool_)[counts].mean()) if counts.any() else float("nan")
