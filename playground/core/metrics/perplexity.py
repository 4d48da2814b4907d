"""Perplexity and bits per byte, from the log-probabilities of a text's tokens: its surprise to a model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text that is read in one go.

    Attributes:
        start, stop: First token that is read, and the one after the last.
        first: First token that is scored; those from start on before it are context only.
    """

    start: int
    stop: int
    first: int

    @property
    def n_scored(self) -> int:
        """Tokens whose probability counts."""
        return self.stop - self.first


def windows(n_tokens: int, length: int, stride: int, *, n_given: int = 1) -> tuple[Window, ...]:
    """Windows over a text longer than what a model reads; every token after the given ones is scored once.

    Each window begins `stride` tokens after the one before and scores what that did not. A small stride gives
    every token more context and costs more windows. The token before the first scored one is always read, so
    that a stride of the whole length is in effect one less.

    Args:
        n_tokens: Tokens of the text, those given included.
        length: Tokens of a window at most, 2 or more.
        stride: Tokens from one window to the next, 1 to length.
        n_given: Tokens at the beginning that nothing predicts, fewer than a window has.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> [(each.start, each.stop, each.first) for each in windows(10, 4, 2)]
        [(0, 4, 1), (2, 6, 4), (4, 8, 6), (6, 10, 8)]

    Source:
        Hugging Face, "Perplexity of fixed-length models", with the first token of a window scored too.
    """
    if length < 2 or not 1 <= stride <= length or not 1 <= n_given < length:
        raise ValueError(f"no windows of {length} with stride {stride} after {n_given} tokens")
    found: list[Window] = []
    first = n_given
    start = 0
    while first < n_tokens:
        start = min(start, first - 1)  # the token before the first scored one is read
        stop = min(start + length, n_tokens)
        found.append(Window(start, stop, first))
        first, start = stop, start + stride
    return tuple(found)


def perplexity(logprobs: ArrayLike) -> float:
    """Perplexity: e to the mean surprisal; as many equally likely tokens would surprise as much.

    Args:
        logprobs: log p of each scored token, nats, shape [token].

    Returns:
        1 or more; NaN without tokens, infinite where a token was held impossible.

    Example:
        >>> round(perplexity(np.log([0.5, 0.125])), 6)
        4.0

    Source:
        Jelinek et al. 1977, "Perplexity: a measure of the difficulty of speech recognition tasks".
    """
    values = np.asarray(logprobs, dtype=np.float64)
    return float(np.exp(-values.mean())) if len(values) else math.nan


def running_perplexity(logprobs: ArrayLike) -> NDArray[np.float64]:
    """Perplexity of each beginning of a text.

    Args:
        logprobs: log p of each scored token, nats, shape [token].

    Returns:
        Shape [token]; the last is the perplexity of all.
    """
    values = np.asarray(logprobs, dtype=np.float64)
    return np.exp(-np.cumsum(values) / np.arange(1, len(values) + 1))


def bits_per_token(logprobs: ArrayLike) -> float:
    """Mean surprisal, bits; perplexity is 2 to this.

    Args:
        logprobs: log p of each scored token, nats, shape [token].
    """
    values = np.asarray(logprobs, dtype=np.float64)
    return float(-values.mean() / math.log(2)) if len(values) else math.nan


def bits_per_byte(logprobs: ArrayLike, n_bytes: int) -> float:
    """Bits that the model needs for a text, for each byte of it in UTF-8.

    The text's length does not depend on how a tokenizer cuts it, so that models with different tokenizers can
    be compared by it, which perplexities cannot.

    Args:
        logprobs: log p of each scored token, nats, shape [token].
        n_bytes: Bytes of the scored tokens' text in UTF-8.

    Example:
        >>> bits_per_byte(np.log([0.25, 0.25]), 4), bits_per_byte(np.log([0.0625]), 4)
        (1.0, 1.0)

    Source:
        Gao et al. 2020, "The Pile", arXiv:2101.00027, 3.1.
    """
    values = np.asarray(logprobs, dtype=np.float64)
    return float(-values.sum() / math.log(2)) / n_bytes if n_bytes else math.nan
