"""The answers of a quantized copy beside those of its model: distributions and perplexities compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.heads import kl_bits

N_TOP = 5


@dataclass(frozen=True, slots=True, eq=False)
class NextToken:
    """Two distributions over the next token.

    Attributes:
        token_ids: The most probable tokens of either, those before first. Shape [token].
        before, after: Their probabilities. Shape [token].
        kl_bits: KL(before || after) in bits.
    """

    token_ids: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    kl_bits: float

    @property
    def is_same_top(self) -> bool:
        """True if the most probable token is still the same."""
        return bool(self.after[0] >= self.after.max())


def next_token(before: ArrayLike, after: ArrayLike, n_top: int = N_TOP) -> NextToken:
    """The most probable tokens of two distributions beside each other.

    Args:
        before, after: Logits in nats. Shape [d_vocab].
        n_top: Number of tokens of each.

    Example:
        >>> found = next_token(np.log([0.5, 0.3, 0.2]), np.log([0.1, 0.3, 0.6]), 2)
        >>> found.token_ids.tolist(), found.before.round(2).tolist(), found.after.round(2).tolist()
        ([0, 1, 2], [0.5, 0.3, 0.2], [0.1, 0.3, 0.6])
        >>> found.is_same_top, round(found.kl_bits, 3)
        (False, 0.844)
    """
    logits = np.stack([np.asarray(before, np.float64), np.asarray(after, np.float64)])
    probs = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    tops = [np.argsort(-row, kind="stable")[:n_top] for row in probs]
    ids = np.array(list(dict.fromkeys(np.concatenate(tops).tolist())), np.int64)
    return NextToken(ids, probs[0, ids], probs[1, ids], float(kl_bits(logits[0], logits[1])))
