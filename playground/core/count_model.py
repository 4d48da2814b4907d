"""A language model that only counts: which byte followed which bytes in a text, smoothed (Witten-Bell)."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

N_BYTES = 256


class CountModel:
    """Probabilities of the next byte from counts of what followed the last bytes in a text.

    p(b | h) = (c(h, b) + t(h) p(b | h')) / (c(h) + t(h)): c counts, t(h) is the number of different bytes
    seen behind h, h' is h without its first byte. Behind no byte at all stands 1 / 256.

    Args:
        text: What it counts in.
        order: Bytes it looks at, the next one included: 1 counts bytes alone.

    Source:
        Witten & Bell 1991, "The zero-frequency problem", method C; interpolated as in Chen & Goodman 1999,
        "An empirical study of smoothing techniques for language modeling", section 2.5.
    """

    def __init__(self, text: bytes, order: int) -> None:
        self.order = order
        self._counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
        for at, byte in enumerate(text):
            for n_before in range(min(order, at + 1)):
                self._counts[text[at - n_before : at]][byte] += 1
        self._totals = {before: counts.total() for before, counts in self._counts.items()}

    def logprobs(self, text: bytes) -> NDArray[np.float64]:
        """Log-probability of each byte given those before it, nats, the first one's too. Shape [byte]."""
        shares = [self.probability(byte, text[:at]) for at, byte in enumerate(text)]
        return np.log(np.array(shares, dtype=np.float64))

    def probability(self, byte: int, before: bytes) -> float:
        """Probability of a byte behind these.

        Example:
            >>> model = CountModel(b"abab", 2)
            >>> round(sum(model.probability(byte, b"a") for byte in range(256)), 12)
            1.0
            >>> model.probability(ord("b"), b"a") > model.probability(ord("a"), b"a")
            True
        """
        share = 1 / N_BYTES
        for n_before in range(min(self.order, len(before) + 1)):
            context = before[len(before) - n_before :]
            total = self._totals.get(context)
            if total is None:
                break
            seen = self._counts[context]
            share = (seen[byte] + len(seen) * share) / (total + len(seen))
        return share
