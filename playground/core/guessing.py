"""Shannon's guessing game: how many guesses it takes tells how many bits a token holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from playground.core.canonical import is_same


def bound_bits(guesses: Sequence[int]) -> float:
    """Entropy of the number of guesses: no more bits per token than this are needed to write the text down.

    Args:
        guesses: Number of guesses for each token, 1 = right at once. At least one.

    Example:
        >>> bound_bits([1, 1, 1, 1]), bound_bits([1, 2, 1, 2]), bound_bits([1, 2, 3, 4])
        (0.0, 1.0, 2.0)

    Source:
        Shannon 1951, "Prediction and Entropy of Printed English", equation 17 (upper bound).
    """
    counts = np.array(list(Counter(guesses).values()), dtype=np.float64)
    shares = counts / counts.sum()
    return max(0.0, -float(shares @ np.log2(shares)))


def is_right(guess: str, token: str) -> bool:
    """True if a guess names the token, whatever its case, its form and the space before it.

    Example:
        >>> is_right("Dog ", " dog"), is_right("dogs", " dog"), is_right("", " ")
        (True, False, False)
    """
    word = guess.strip().casefold()
    return bool(word) and is_same(word, token.strip().casefold())
