"""A model's predictions at every position of a text, and its surprisal at the tokens that followed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LN_2 = math.log(2)


def perplexity(logprobs: ArrayLike) -> float:
    """exp of the mean negative log-probability: between how many equally probable tokens the model wavered.

    Args:
        logprobs: Log-probability of each token, nats. Shape [token].

    Returns:
        At least 1; infinity where it is too large for a number (1,024 bits per token), NaN without a token.

    Example:
        >>> round(perplexity(np.log([0.5, 0.25, 0.5, 1.0])), 6), perplexity([-800.0]), perplexity([])
        (2.0, inf, nan)

    Source:
        Jelinek et al. 1977, "Perplexity - a measure of the difficulty of speech recognition tasks".
    """
    nats = np.asarray(logprobs, dtype=np.float64)
    if not len(nats):
        return math.nan
    with np.errstate(over="ignore"):
        return float(np.exp(-nats.mean()))


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A model's predictions after each token, without the whole vocabulary.

    Attributes:
        top_ids: The most probable next tokens, best first. Shape [position, n].
        top_logprobs: Their log-probabilities in nats. Shape [position, n].
        entropy_bits: Entropy of the whole distribution. Shape [position].
        logprobs: Log-probability in nats of the token that follows in the text. Shape [position - 1].
        ranks: Number of tokens that were more probable than it. Shape [position - 1].
    """

    top_ids: NDArray[np.int64]
    top_logprobs: NDArray[np.float32]
    entropy_bits: NDArray[np.float32]
    logprobs: NDArray[np.float32]
    ranks: NDArray[np.int64]

    def __post_init__(self) -> None:
        for array in self._arrays():
            array.flags.writeable = False

    @property
    def surprisal_bits(self) -> NDArray[np.float64]:
        """Surprisal of each token after the first, -log2 p. Shape [position - 1]."""
        return self.logprobs.astype(np.float64) / -_LN_2

    @property
    def total_bits(self) -> float:
        """Surprisal of the whole text given its first token, bits."""
        return float(self.surprisal_bits.sum())

    @property
    def perplexity(self) -> float:
        """Perplexity of the text given its first token; NaN for a text of one token."""
        return perplexity(self.logprobs)

    @property
    def size_bytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> list[NDArray[Any]]:
        return [getattr(self, spec.name) for spec in fields(self)]
