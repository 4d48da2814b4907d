"""Attention: the operation, the arithmetic of one row, maps of words, rollout and thumbnails.

    q·k  ->  / √d_head  ->  + mask  ->  softmax  ->  weights · v

A head is a soft lookup: the query of a token is compared with the keys of all tokens it may see, and the
values of those tokens are mixed by how well their keys fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def scaled_dot_product(q: ArrayLike, k: ArrayLike, v: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """softmax(q kᵀ / √d_head + mask) v.

    Args:
        q: Queries. Shape [..., query, d_head].
        k: Keys. Shape [..., key, d_head].
        v: Values. Shape [..., key, d_value].
        mask: True = may look, or numbers to add to the scores. Broadcastable to [..., query, key].

    Returns:
        Shape [..., query, d_value]; zeros for a query that may look nowhere.

    Example:
        >>> keys, values = [[9.0, 0.0], [0.0, 9.0]], [[5.0], [7.0]]
        >>> scaled_dot_product([[1.0, 0.0]], keys, values, [[True, False]]).tolist()
        [[5.0]]

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, equation 1.
    """
    mixed: FloatArray = attention_weights(q, k, mask) @ np.asarray(v, dtype=np.float64)
    return mixed


def attention_weights(q: ArrayLike, k: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """softmax(q kᵀ / √d_head + mask): how much each query takes of each key.

    Args:
        q, k, mask: As in `scaled_dot_product`.

    Returns:
        Rows that sum to 1, or to 0 where nothing may be seen. Shape [..., query, key].
    """
    queries, keys = np.asarray(q, dtype=np.float64), np.asarray(k, dtype=np.float64)
    scores = queries @ keys.swapaxes(-1, -2) / np.sqrt(queries.shape[-1])
    if mask is not None:
        allowed = np.asarray(mask)
        scores = np.where(allowed, scores, -np.inf) if allowed.dtype == bool else scores + allowed
    return _softmax(scores)


def causal_mask(n: int) -> NDArray[np.bool_]:
    """The mask of a decoder: a token may look at itself and at those before it. Shape [query, key].

    Example:
        >>> causal_mask(2).tolist()
        [[True, False], [True, True]]
    """
    return np.tril(np.ones((n, n), dtype=bool))


def without_keys(weights: ArrayLike, hidden: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Take keys out of a map and rescale the rest of each row to sum to 1, as sinks hide everything else.

    Args:
        weights: Shape [..., query, key].
        hidden: True for the keys to take out. Shape [key].

    Returns:
        The map without them, rows that had nothing else all 0; the mass that was removed, [..., query].

    Example:
        >>> left, removed = without_keys([[0.8, 0.1, 0.1]], np.array([True, False, False]))
        >>> left.round(3).tolist(), removed.round(3).tolist()
        ([[0.0, 0.5, 0.5]], [0.8])

    Source:
        Sinks: Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks", arXiv:2309.17453.
    """
    whole = np.asarray(weights, dtype=np.float64)
    kept = np.where(hidden, 0.0, whole)
    mass = kept.sum(axis=-1, keepdims=True)
    left: FloatArray = np.divide(kept, mass, out=np.zeros_like(kept), where=mass > 1e-9)
    return left, whole[..., hidden].sum(axis=-1)


def smallest_set(row: ArrayLike, coverage: float) -> NDArray[np.bool_]:
    """The fewest keys that together hold `coverage` of a row's mass.

    Args:
        row: Weights of one query. Shape [key].
        coverage: 0 < coverage <= 1.

    Returns:
        True for the keys of the set. Shape [key].

    Raises:
        ValueError: `coverage` is outside (0, 1].

    Example:
        >>> smallest_set([0.1, 0.6, 0.3], 0.8).tolist()
        [False, True, True]

    Source:
        Hoover et al. 2020, "exBERT", arXiv:1910.05276, section 3 (there a threshold of the view).
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be in (0, 1], got {coverage}")
    weights = np.asarray(row, dtype=np.float64)
    order = np.argsort(-weights, kind="stable")
    sums = np.cumsum(weights[order])
    n = int(np.searchsorted(sums, coverage * sums[-1] - 1e-12)) + 1
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[order[:n]] = True
    return chosen


def merge_words(weights: ArrayLike, word_of: NDArray[np.int64]) -> FloatArray:
    """A map of words out of a map of tokens: weights to a word add up, those from a word are averaged.

    Args:
        weights: Shape [..., token, token].
        word_of: Word of each token, 0, 1, 2, ... Shape [token].

    Returns:
        Rows that sum to 1 as before. Shape [..., word, word].

    Source:
        Clark et al. 2019, "What Does BERT Look At?", arXiv:1906.04341, section 4.1.
    """
    member = np.zeros((len(word_of), int(word_of.max()) + 1))
    member[np.arange(len(word_of)), word_of] = 1.0
    merged: FloatArray = (member / member.sum(axis=0)).T @ np.asarray(weights, dtype=np.float64) @ member
    return merged


def rollout(attentions: ArrayLike) -> FloatArray:
    """Attention from the last layer down to the tokens, if all that mattered were attention and the residual.

    Each layer is the mean of its heads, half of it replaced by the identity for the residual connection; the
    layers are multiplied.

    Args:
        attentions: Weights, first layer first. Shape [layer, head, position, position].

    Returns:
        Rows that sum to 1. Shape [position, position].

    Example:
        >>> rollout(np.eye(2)[None, None]).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source:
        Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", arXiv:2005.00928, section 3.
        It leaves out values, norms and MLPs.
    """
    layers = np.asarray(attentions, dtype=np.float64).mean(axis=1)
    flow = np.eye(layers.shape[-1])
    for layer in layers:
        mixed = 0.5 * layer + 0.5 * np.eye(len(layer))
        flow = mixed / mixed.sum(axis=-1, keepdims=True) @ flow
    return flow


def thumbnails(attentions: NDArray[np.float32], size: int = 16) -> NDArray[np.uint8]:
    """Every map at most `size` pixels wide and high: round(255 * sqrt(w)), w the largest weight of each tile.

    Args:
        attentions: Weights. Shape [layer, head, query, key].
        size: Pixels.

    Returns:
        Shape [layer, head, min(query, size), min(key, size)].
    """
    small = attentions
    for axis in (2, 3):
        n = small.shape[axis]
        if n > size:
            edges = np.arange(size + 1) * n // size
            first, last = edges[:-1], edges[1:] - 1
            # Four times as fast as `np.maximum.reduceat`.
            parts = (small.take(np.minimum(first + k, last), axis) for k in range(-(-n // size)))
            small = reduce(np.maximum, parts)
    return np.round(255 * np.sqrt(np.clip(small, 0, 1))).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class RowArithmetic:
    """Every number between a query and what its head writes.

    Attributes:
        products: q_i · k_i of each dimension. Shape [key, d_head].
        scores: Their sums, q·k. Shape [key].
        scaled: scores / √d_head, and -inf where the mask forbids to look. Shape [key].
        weights: softmax(scaled). Shape [key].
        mixed: Σ weights · v. Shape [d_head].
        written: Length of weight · v · W_O, what each key adds to the residual stream. Shape [key].
    """

    products: FloatArray
    scores: FloatArray
    scaled: FloatArray
    weights: FloatArray
    mixed: FloatArray
    written: FloatArray


def row_arithmetic(
    query: ArrayLike, keys: ArrayLike, values: ArrayLike, allowed: NDArray[np.bool_], output: ArrayLike
) -> RowArithmetic:
    """Work out one row of one head.

    Args:
        query: Query of one token, after rotary embedding. Shape [d_head].
        keys: Keys of all tokens, those its head uses. Shape [key, d_head].
        values: Values of all tokens. Shape [key, d_head].
        allowed: True for the keys that the mask lets the token see. Shape [key].
        output: The head's part of W_O, from its mixed values to the residual stream. Shape [d_head, d_model].

    Source:
        Length of what is written instead of the weight: Kobayashi et al. 2020, "Attention is Not Only a
        Weight", arXiv:2004.10102, section 3.
    """
    products = np.asarray(query, dtype=np.float64) * np.asarray(keys, dtype=np.float64)
    scores = products.sum(axis=-1)
    root = float(np.sqrt(products.shape[-1]))
    weights = row_weights(scores, allowed, root)
    moved = weights[:, None] * np.asarray(values, dtype=np.float64)
    written = np.linalg.norm(moved @ np.asarray(output, dtype=np.float64), axis=-1)
    scaled = np.where(allowed, scores / root, -np.inf)
    return RowArithmetic(products, scores, scaled, weights, moved.sum(axis=0), written)


def row_weights(scores: ArrayLike, allowed: NDArray[np.bool_], divisor: float) -> FloatArray:
    """softmax(scores / divisor + mask): √d_head is what a model divides by, less sharpens, more flattens.

    Args:
        scores: q·k. Shape [key].
        allowed: True for the keys that the mask lets the query see. Shape [key].
        divisor: > 0.

    Returns:
        Sum to 1, or to 0 where nothing may be seen. Shape [key].

    Example:
        >>> [row_weights([2.0, 0.0], np.array([True, True]), by).round(3).tolist() for by in (0.1, 100)]
        [[1.0, 0.0], [0.505, 0.495]]
    """
    return _softmax(np.where(allowed, np.asarray(scores, dtype=np.float64) / divisor, -np.inf))


def entropy_bits(weights: ArrayLike) -> float:
    """Entropy of a row in bits: 0 for all weight on one key, log2(n) for n equal weights.

    Args:
        weights: Weights of one query. Shape [key].

    Example:
        >>> entropy_bits([0.25, 0.25, 0.25, 0.25]), entropy_bits([1.0, 0.0])
        (2.0, 0.0)
    """
    row = np.asarray(weights, dtype=np.float64)
    positive = row[row > 0]
    return float(np.abs((positive * np.log2(positive)).sum()))


def overlaps(values: ArrayLike, output: ArrayLike) -> FloatArray:
    """Dot products of what the keys would write with weight 1: ‖Σ wᵢ uᵢ‖² = w · overlaps · w.

    Args:
        values: Shape [key, d_head].
        output: As in `row_arithmetic`. Shape [d_head, d_model].

    Returns:
        Shape [key, key].
    """
    written = np.asarray(values, dtype=np.float64) @ np.asarray(output, dtype=np.float64)
    products: FloatArray = written @ written.T
    return products


def _softmax(scores: FloatArray) -> FloatArray:
    top = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(axis=-1, keepdims=True)
    weights: FloatArray = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return weights
