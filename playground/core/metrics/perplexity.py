"""Perplexity of a text read in overlapping windows, and bits per byte, which no tokenizer's pieces change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LN_2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of tokens that a model reads at once.

    Attributes:
        begin, end: The model reads the tokens `begin <= i < end`.
        first: It is asked about the tokens `first <= i < end`; those before are context alone.
    """

    begin: int
    end: int
    first: int


def windows(n_tokens: int, context: int, stride: int) -> tuple[Window, ...]:
    """Windows in which each token after the first is asked about once.

    Args:
        n_tokens: Tokens of the text, at least 1.
        context: Most tokens that a model sees before the one it is asked about, at least 1.
        stride: Number of tokens by which a window stands behind the last, from 1 (all but the first tokens
            have the whole context) to `context` (windows share one token).

    Raises:
        ValueError: The stride is not from 1 to the context: some tokens would have nothing before them.

    Example:
        >>> [(one.begin, one.end, one.first) for one in windows(10, 4, 3)]
        [(0, 5, 1), (3, 8, 5), (6, 10, 8)]

    Source:
        Hugging Face, "Perplexity of fixed-length models": the loop with `max_length = context + 1`.
    """
    if not 1 <= stride <= context:
        raise ValueError(f"stride {stride} is not from 1 to the context, {context}")
    found: list[Window] = []
    first = 1
    for begin in range(0, n_tokens, stride):
        end = min(begin + context + 1, n_tokens)
        found.append(Window(begin, end, first))
        if end == n_tokens:
            break
        first = end
    return tuple(found)


def joined(parts: Sequence[Window], read: Mapping[int, ArrayLike]) -> NDArray[np.float64]:
    """Values of all tokens after the first, each from the window that asks about it.

    Args:
        parts: From `windows`.
        read: Begin of each window -> a value for each token after its first; longer readings count as far as
            the window goes. Shape [token - 1].

    Returns:
        Shape [token - 1].

    Example:
        >>> joined(windows(4, 2, 2), {0: [-1.0, -2.0, -9.0], 2: [-3.0]}).tolist()
        [-1.0, -2.0, -3.0]
    """
    values = [
        np.asarray(read[one.begin], np.float64)[one.first - one.begin - 1 : one.end - one.begin - 1]
        for one in parts
    ]
    return np.concatenate(values)


def running_perplexity(logprobs: ArrayLike) -> NDArray[np.float64]:
    """Perplexity of the text up to each token.

    Args:
        logprobs: Log-probability of each token, nats. Shape [token].

    Returns:
        Shape [token].

    Example:
        >>> running_perplexity(np.log([0.5, 0.125])).round(6).tolist()
        [2.0, 4.0]
    """
    nats = np.asarray(logprobs, np.float64)
    with np.errstate(over="ignore"):
        found: NDArray[np.float64] = np.exp(-np.cumsum(nats) / np.arange(1, len(nats) + 1))
    return found


def regrouped(logprobs: ArrayLike, sizes: Sequence[int]) -> NDArray[np.float64]:
    """Log-probability of larger pieces, by the chain rule: the sum over the small pieces of each.

    Args:
        logprobs: Of each small piece given all before it, nats. Shape [small].
        sizes: Number of small pieces of each large one, at least 1; together all of them. Length [large].

    Returns:
        Shape [large].

    Example:
        >>> regrouped([-1.0, -2.0, -4.0], [1, 2]).tolist()
        [-1.0, -6.0]
    """
    nats = np.asarray(logprobs, np.float64)
    if sum(sizes) != len(nats) or min(sizes, default=1) < 1:
        raise ValueError(f"pieces of {sum(sizes)} do not make {len(nats)}")
    begins = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    found: NDArray[np.float64] = np.add.reduceat(nats, begins) if len(nats) else nats
    return found


@dataclass(frozen=True, slots=True)
class Cost:
    """Surprisal of a text under a model, and the units it can be divided by.

    Attributes:
        total_bits: Surprisal of the whole text.
        n_pieces: Pieces the model was asked about.
        n_bytes: UTF-8 bytes of those pieces.
        n_characters: Characters of those pieces.
    """

    total_bits: float
    n_pieces: int
    n_bytes: int
    n_characters: int

    @property
    def bits_per_piece(self) -> float:
        """Mean surprisal of a piece."""
        return self._over(self.n_pieces)

    @property
    def bits_per_byte(self) -> float:
        """Surprisal by the byte: for one text the same whatever pieces a model cuts it into."""
        return self._over(self.n_bytes)

    @property
    def bits_per_character(self) -> float:
        """Surprisal by the character."""
        return self._over(self.n_characters)

    @property
    def perplexity(self) -> float:
        """Perplexity by the piece: 2 to the bits of a mean piece; infinity beyond 1,024 bits."""
        return exp2(self.bits_per_piece)

    def _over(self, n: int) -> float:
        return self.total_bits / n if n else math.nan


def cost(logprobs: ArrayLike, pieces: bytes) -> Cost:
    """Cost of pieces that together are these bytes.

    Args:
        logprobs: Log-probability of each piece, nats. Shape [piece].
        pieces: The bytes of all of them; a character counts where its first byte is among them.

    Example:
        >>> one = cost(np.log([0.5, 0.125]), "한a".encode())
        >>> one.total_bits, one.perplexity, one.bits_per_byte, one.bits_per_character
        (4.0, 4.0, 1.0, 2.0)

    Source:
        Gao et al. 2020, "The Pile", section 3.1: bits per UTF-8 encoded byte.
    """
    nats = np.asarray(logprobs, np.float64)
    begun = sum(byte & 0xC0 != 0x80 for byte in pieces)
    return Cost(float(nats.sum()) / -_LN_2, len(nats), len(pieces), begun)


def exp2(bits: float) -> float:
    """2 to this power; infinity where it is too large for a number."""
    try:
        return math.pow(2, bits)
    except OverflowError:
        return math.inf
