"""Four ways to tell a model where a token stands: sinusoids, a learned table, rotation, a linear bias.

sinusoidal  x + PE[position]              added to the embedding       Vaswani et al. 2017
learned     x + table[position]           added, rows trained          BERT, GPT-2
rotary      rotate(q, m) . rotate(k, n)   inside every attention head  Su et al. 2021
ALiBi       q . k - slope * (m - n)       subtracted from the score    Press et al. 2021
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FirstHead:
    """Weights that turn a token's embedding into the query and the key of a rotary model's first head.

    Attributes:
        norm: Weight of the RMS norm before attention. Shape [d_model].
        epsilon: Epsilon of every RMS norm here.
        query, key: Projections of the first head. Shape [d_head, d_model].
        query_bias, key_bias: Their biases, or None. Shape [d_head].
        query_norm, key_norm: Weights of a further RMS norm (Qwen 3), or None. Shape [d_head].
    """

    norm: NDArray[np.float32]
    epsilon: float
    query: NDArray[np.float32]
    key: NDArray[np.float32]
    query_bias: NDArray[np.float32] | None = None
    key_bias: NDArray[np.float32] | None = None
    query_norm: NDArray[np.float32] | None = None
    key_norm: NDArray[np.float32] | None = None

    def query_key(self, embeddings: NDArray[np.float32]) -> tuple[Array, Array]:
        """Queries and keys of these tokens in the first layer, before they are rotated.

        Args:
            embeddings: Hidden states of layer 0. Shape [position, d_model].

        Returns:
            Queries and keys, each of shape [position, d_head].
        """
        normed = _rms_norm(embeddings.astype(np.float64), self.norm, self.epsilon)
        query = normed @ self.query.T + (0.0 if self.query_bias is None else self.query_bias)
        key = normed @ self.key.T + (0.0 if self.key_bias is None else self.key_bias)
        return (
            _rms_norm(query, self.query_norm, self.epsilon),
            _rms_norm(key, self.key_norm, self.epsilon),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PositionScheme:
    """The position encoding of one model.

    Attributes:
        kind: A learned table, or a rotation of queries and keys.
        model_id, revision: The model and its version.
        n_ctx: Positions it was trained with.
        table: Learned only: one row per position. Shape [n_ctx, d_model].
        base, d_head: Rotary only: pair i of a head turns by base ** (-2 i / d_head) radians per position.
        head: Rotary only: its first head.
    """

    kind: Literal["learned", "rotary"]
    model_id: str
    revision: str
    n_ctx: int
    table: NDArray[np.float32] | None = None
    base: float = 0.0
    d_head: int = 0
    head: FirstHead | None = None


def _rms_norm(x: Array, weight: NDArray[np.float32] | None, epsilon: float) -> Array:
    if weight is None:
        return x
    mean_square = np.mean(x * x, axis=-1, keepdims=True)
    normed: Array = x / np.sqrt(mean_square + epsilon) * weight
    return normed


# ---------------------------------------------------------------- closed forms


def frequencies(d_model: int, base: float = 10000.0) -> Array:
    """Radians per position of each pair of dimensions: 1, then slower and slower.

    Args:
        d_model: Number of dimensions, even.
        base: The larger, the slower the slowest pair.

    Returns:
        base ** (-2 i / d_model). Shape [d_model / 2].

    Raises:
        ValueError: `d_model` is odd or not positive, or `base` is below 1.

    Example:
        >>> frequencies(4, 100.0).tolist()
        [1.0, 0.1]
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model must be an even number of at least 2, got {d_model}")
    if not 1 <= base < math.inf:
        raise ValueError(f"base must be at least 1, got {base}")
    return np.power(float(base), -np.arange(0, d_model, 2) / d_model)


def sinusoidal(n_ctx: int, d_model: int, base: float = 10000.0) -> Array:
    """The positional encoding of the original transformer.

    Args:
        n_ctx: Number of positions.
        d_model: Number of dimensions, even.
        base: 10,000 in the paper.

    Returns:
        Even dimensions sin(position * w_i), odd ones cos(position * w_i). Shape [n_ctx, d_model].

    Raises:
        ValueError: As in `frequencies`, or `n_ctx` is negative.

    Example:
        >>> sinusoidal(2, 4, 100.0).round(3).tolist()
        [[0.0, 1.0, 0.0, 1.0], [0.841, 0.54, 0.1, 0.995]]

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.5.
    """
    if n_ctx < 0:
        raise ValueError(f"n_ctx must not be negative, got {n_ctx}")
    angles = np.arange(n_ctx)[:, None] * frequencies(d_model, base)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(n_ctx, d_model)


def rotate(x: ArrayLike, positions: ArrayLike, base: float = 10000.0) -> Array:
    """Rotary position embedding: turn each pair of dimensions by its angle at the position.

    Dimension i is paired with i + d_head / 2, as Llama's weights are laid out; the paper pairs neighbours,
    which is the same up to the order of the dimensions.

    Args:
        x: Queries or keys. Shape [..., position, d_head], or [d_head] for one position.
        positions: Their positions. Shape [position], or a number.
        base: 10,000 in the paper, 100,000 in SmolLM2.

    Returns:
        The rotated vectors, same shape and same lengths.

    Raises:
        ValueError: As in `frequencies`, or shapes disagree.

    Example:
        >>> rotate([1.0, 0.0], np.pi / 2).round(6).tolist()
        [0.0, 1.0]

    Source:
        Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv:2104.09864,
        section 3.2.
    """
    values = np.asarray(x, dtype=np.float64)
    angles = np.asarray(positions, dtype=np.float64)[..., None] * frequencies(values.shape[-1], base)
    first, second = np.split(values, 2, axis=-1)
    cos, sin = np.cos(angles), np.sin(angles)
    rotated = np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
    if rotated.shape != values.shape:
        raise ValueError(f"positions of shape {angles.shape[:-1]} do not fit x of shape {values.shape}")
    return rotated


def alibi_slopes(n_head: int) -> Array:
    """Slope of each ALiBi head: the loss of score per token of distance.

    Args:
        n_head: Number of heads. A power of two gives the geometric series 2 ** (-8 / n_head), ...; any other
            number gives that of the next smaller power of two, then every other slope of the next larger one.

    Returns:
        Slopes, shape [n_head].

    Raises:
        ValueError: `n_head` is not positive.

    Example:
        >>> alibi_slopes(8).tolist()
        [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625]

    Source:
        Press, Smith & Lewis 2021, "Train Short, Test Long", arXiv:2108.12409, section 3, and its code.
    """
    if n_head < 1:
        raise ValueError(f"n_head must be positive, got {n_head}")
    power = 2 ** (n_head.bit_length() - 1)
    slopes: Array = np.exp2(-8.0 * np.arange(1, power + 1) / power)
    if power == n_head:
        return slopes
    finer = np.exp2(-4.0 * np.arange(1, 2 * power + 1, 2) / power)
    return np.concatenate([slopes, finer[: n_head - power]])


def similarity(distances: ArrayLike, d_model: int, base: float) -> Array:
    """Similarity of two positions, 1 at distance 0: the same curve for sinusoids and for rotation.

    The dot product of two sinusoidal vectors is the sum of cos(distance * w_i), whichever the positions. The
    score of a rotated query and key that are equal and have the same length in every pair is the same sum.

    Args:
        distances: In tokens. Any shape.
        d_model: Dimensions of the vectors, even.
        base: Base of the frequencies.

    Returns:
        The mean cosine, between -1 and 1. Same shape.

    Example:
        >>> similarity([0, 3], 2, 1.0).round(3).tolist()
        [1.0, -0.99]
    """
    angles = np.asarray(distances, dtype=np.float64)[..., None] * frequencies(d_model, base)
    mean: Array = np.cos(angles).mean(axis=-1)
    return mean


# ---------------------------------------------------------------- learned tables


@dataclass(frozen=True, slots=True, eq=False)
class DistanceProfile:
    """Cosine of two learned rows by their distance; entry i is distance i.

    Attributes:
        mean: Mean over all pairs of rows. Shape [n].
        low, high: Nine of ten pairs lie above `low`, nine of ten below `high`. Shape [n].
    """

    mean: Array
    low: Array
    high: Array


def distance_profile(table: NDArray[np.floating], n: int, *, skip: int = 1) -> DistanceProfile:
    """Similarity of the learned rows at each distance.

    Args:
        table: The learned rows. Shape [n_ctx, d_model].
        n: Distances 0 ... n - 1; n + skip <= n_ctx.
        skip: First rows left out; row 0 belongs to [CLS] or the start of the text and is like no other.

    Raises:
        ValueError: There are not enough rows.

    Example:
        >>> distance_profile(np.array([[9., 9.], [1., 0.], [0., 1.], [1., 0.]]), 3).mean.round(6).tolist()
        [1.0, 0.0, 1.0]
    """
    if n + skip > len(table):
        raise ValueError(f"{n} distances need {n + skip} rows, the table has {len(table)}")
    rows = table[skip:].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    by_distance = [np.diagonal(cosines, distance) for distance in range(n)]
    low, high = (np.array([np.quantile(pairs, share) for pairs in by_distance]) for share in (0.1, 0.9))
    return DistanceProfile(np.array([pairs.mean() for pairs in by_distance]), low, high)
