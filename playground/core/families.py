"""Encoder, decoder, encoder-decoder: who may look at whom, what moves when a word changes, a head on vectors.

encoder            decoder            encoder-decoder
. . .              . x x              . . | x x     rows: who looks
. . .              . . x              . . | x x     columns: at whom
. . .              . . .              ----+----     x: forbidden
                                      . . | . x
                                      . . | . .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.attention import causal_mask

FloatArray = NDArray[np.float64]
ROUNDING = 1e-5  # relative change of a state that float32 and another batch explain
C = 10.0  # inverse of the penalty on the weights of the head


def two_stacks(encoder: ArrayLike, decoder: ArrayLike, cross: ArrayLike) -> FloatArray:
    """The three attentions of an encoder-decoder as one map, source before target on both axes.

    A row of the target holds two rows, each of which sums to 1: cross-attention, then self-attention.

    Args:
        encoder: Encoder self-attention. Shape [source, source].
        decoder: Masked decoder self-attention. Shape [target, target].
        cross: Cross-attention from target to source. Shape [target, source].

    Returns:
        Shape [source + target, source + target], 0 where the source would look at the target.

    Example:
        >>> two_stacks([[1.0]], [[1.0, 0.0], [0.5, 0.5]], [[1.0], [1.0]]).tolist()
        [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.5, 0.5]]

    Source:
        Raffel et al. 2020, "Exploring the Limits of Transfer Learning", arXiv:1910.10683, figures 3 and 4.
    """
    top, low, across = (np.asarray(one, dtype=np.float64) for one in (encoder, decoder, cross))
    whole: FloatArray = np.block([[top, np.zeros((len(top), len(low)))], [across, low]])
    return whole


def may_look(n_tokens: int, n_seen_by_all: int) -> NDArray[np.bool_]:
    """The attention mask of a family over all its tokens, source before target.

    Args:
        n_tokens: Number of tokens.
        n_seen_by_all: Tokens of the source: all of an encoder's, none of a decoder's.

    Returns:
        True where the query (row) may look at the key (column). Shape [n_tokens, n_tokens].

    Example:
        >>> may_look(3, 1).astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    allowed = causal_mask(n_tokens)
    allowed[:, :n_seen_by_all] = True
    return allowed


def share_ahead(weights: ArrayLike) -> float:
    """Mean over the queries of the weight that each puts on later positions.

    Args:
        weights: Rows that sum to 1. Shape [query, key], equally many.

    Example:
        >>> share_ahead([[0.25, 0.75], [0.5, 0.5]])
        0.375
    """
    return float(np.triu(np.asarray(weights, dtype=np.float64), 1).sum() / len(np.asarray(weights)))


@dataclass(frozen=True, slots=True)
class Alignment:
    """The tokens of two texts that stand for each other.

    Attributes:
        pairs: (position in the first, position in the second) of each pair, in order.
        n_before: Pairs that stand before the first difference.
        n_changed: Pairs at the difference, whose tokens are others; the rest stands behind it.
    """

    pairs: tuple[tuple[int, int], ...]
    n_before: int
    n_changed: int


def aligned(first: Sequence[int], second: Sequence[int]) -> Alignment:
    """Pair the equal tokens before and behind the difference of two texts, and what is between, if as many.

    Example:
        >>> aligned([5, 6, 7, 2], [5, 6, 8, 2])
        Alignment(pairs=((0, 0), (1, 1), (2, 2), (3, 3)), n_before=2, n_changed=1)
        >>> aligned([5, 6, 7, 2], [5, 6, 8, 9, 2])
        Alignment(pairs=((0, 0), (1, 1), (3, 4)), n_before=2, n_changed=0)
    """
    most = min(len(first), len(second))
    before = next((i for i in range(most) if first[i] != second[i]), most)
    behind = next((i for i in range(most - before) if first[-1 - i] != second[-1 - i]), most - before)
    n_first, n_second = len(first) - behind - before, len(second) - behind - before
    n_changed = n_first if n_first == n_second else 0
    pairs = [(i, i) for i in range(before + n_changed)]
    pairs += [(len(first) - i, len(second) - i) for i in range(behind, 0, -1)]
    return Alignment(tuple(pairs), before, n_changed)


def moved(first: ArrayLike, second: ArrayLike, pairs: Sequence[tuple[int, int]]) -> FloatArray:
    """Distance of each state from its twin in another text, by the state's own length: ‖b - a‖ / ‖a‖.

    Args:
        first, second: States of two texts. Shapes [layer, position, d_model].
        pairs: Positions that stand for each other.

    Returns:
        0 where nothing moved. Shape [layer, pair].
    """
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    a = np.asarray(first, dtype=np.float64)[:, at[:, 0]]
    b = np.asarray(second, dtype=np.float64)[:, at[:, 1]]
    lengths = np.linalg.norm(a, axis=-1)
    change: FloatArray = np.linalg.norm(b - a, axis=-1) / np.where(lengths > 0, lengths, 1.0)
    return change


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear head on frozen vectors: p(positive) = 1 / (1 + e^-(w·x + b)).

    Attributes:
        weights: w. Shape [d_model].
        bias: b.
    """

    weights: FloatArray
    bias: float

    @property
    def n_parameters(self) -> int:
        """Numbers that were trained."""
        return len(self.weights) + 1

    def probabilities(self, vectors: ArrayLike) -> FloatArray:
        """p(positive) of each text.

        Args:
            vectors: Shape [text, d_model].

        Returns:
            Shape [text].
        """
        logits = np.asarray(vectors, dtype=np.float64) @ self.weights + self.bias
        probs: FloatArray = 1.0 / (1.0 + np.exp(-logits))
        return probs


def trained_head(vectors: ArrayLike, positive: Sequence[bool]) -> Head:
    """Fit logistic regression with an L2 penalty: the least of C · Σ loss + ‖w‖² / 2, which is unique.

    Args:
        vectors: Frozen sentence vectors. Shape [text, d_model].
        positive: Label of each text; both must occur.
    """
    from sklearn.linear_model import LogisticRegression

    fitted: Any = LogisticRegression(C=C, max_iter=1_000, tol=1e-8)
    fitted.fit(np.asarray(vectors, dtype=np.float64), np.asarray(positive))
    return Head(fitted.coef_[0], float(fitted.intercept_[0]))
