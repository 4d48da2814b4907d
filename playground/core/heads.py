"""Attention heads on one text: seven scores per head, and the role they indicate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Score = Literal[
    "entropy", "previous_token", "first_token", "induction", "duplicate_token", "distance", "same_word"
]
SCORES: tuple[Score, ...] = get_args(Score)
SHARES: tuple[Score, ...] = ("previous_token", "first_token", "induction", "duplicate_token", "same_word")
THRESHOLDS: dict[Score, float] = {
    "induction": 0.4,
    "duplicate_token": 0.4,
    "same_word": 0.8,
    "previous_token": 0.4,
    "first_token": 0.6,
}
EVEN = 0.9  # of the entropy an even spread would have
HeadScores = dict[Score, NDArray[np.float64]]


def head_scores(attentions: ArrayLike, input_ids: ArrayLike, word_of: ArrayLike | None = None) -> HeadScores:
    """Seven scores of every head, each the mean over the tokens for which it is defined.

    entropy          bits of the row: 0 = one key, log2(n) = all n alike
    previous_token   weight on the token before
    first_token      weight on the first token (a sink)
    induction        weight on what followed the same token earlier: in A B ... A it looks at B
    duplicate_token  weight on the same token earlier
    distance         mean distance in tokens to what it looks at
    same_word        weight on the other tokens of the same word

    The first row is left out: in a decoder it can see itself only. The first token is a target of
    `first_token` and `same_word` only: many heads rest there whatever it is.

    Args:
        attentions: Weights in [0, 1]. Shape [layer, head, position, position].
        input_ids: Shape [position].
        word_of: Word of each token, -1 for none; without it `same_word` is NaN. Shape [position].

    Returns:
        Score name -> [layer, head]; NaN where the text has no token to tell it by.

    Example:
        >>> weights = np.array([[[[1, 0, 0], [1, 0, 0], [0, 1, 0]]]])  # each token looks at the one before
        >>> scores = head_scores(weights, [5, 6, 7])
        >>> scores["previous_token"].item(), scores["distance"].item(), scores["entropy"].item()
        (1.0, 1.0, 0.0)

    Source:
        Clark et al. 2019, arXiv:1906.04341 (previous, entropy); Olsson et al. 2022, "In-context Learning and
        Induction Heads", arXiv:2209.11895; Xiao et al. 2023, arXiv:2309.17453 (sinks); Vig & Belinkov 2019,
        arXiv:1906.04284 (distance).
    """
    weights = np.asarray(attentions, dtype=np.float64)
    ids = np.asarray(input_ids)
    position = np.arange(len(ids))
    back = position[:, None] - position
    is_counted = position > 0
    earlier: NDArray[np.bool_] = (ids[:, None] == ids) & (back > 0)
    followed = np.zeros_like(earlier)
    followed[:, 1:] = earlier[:, :-1] & (back[:, 1:] > 0)
    words = np.full(len(ids), -1) if word_of is None else np.asarray(word_of)
    same_word: NDArray[np.bool_] = (words[:, None] == words) & (words >= 0) & (back != 0)
    bits = -np.sum(weights * np.log2(weights, out=np.zeros_like(weights), where=weights > 0), axis=-1)
    rows = np.ones(len(ids), dtype=bool)
    return {
        "entropy": _mean(bits, rows),
        "previous_token": _share(weights, (back == 1) & is_counted),
        "first_token": _share(weights, np.tile(position == 0, (len(ids), 1))),
        "induction": _share(weights, followed),
        "duplicate_token": _share(weights, earlier & is_counted),
        "distance": _mean(np.sum(weights * np.abs(back), axis=-1), rows),
        "same_word": _share(weights, same_word),
    }


def _share(weights: NDArray[np.float64], targets: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean weight on the targets, over the rows that have one."""
    has_target: NDArray[np.bool_] = np.any(targets, axis=-1)
    return _mean(np.sum(weights * targets, axis=-1), has_target)


def _mean(rows: NDArray[np.float64], is_defined: NDArray[np.bool_]) -> NDArray[np.float64]:
    used = is_defined & (np.arange(len(is_defined)) > 0)
    if not used.any():
        return np.full(rows.shape[:-1], np.nan)
    means: NDArray[np.float64] = rows[..., used].mean(axis=-1)
    return means


def head_name(layer: int, head: int) -> str:
    """The name of a head on every page, layer and head counted from 1: layer 0 is the embedding there.

    Args:
        layer, head: Counted from 0, as in every array, link and shown script.

    Example:
        >>> head_name(13, 8)
        '14.9'
    """
    return f"{layer + 1}.{head + 1}"


HeadRole = Literal[
    "induction", "previous_token", "duplicate_token", "same_word", "first_token", "even", "mixed"
]


def head_role(scores: Mapping[Score, NDArray[np.float64]], layer: int, head: int, n_keys: float) -> HeadRole:
    """The role of a head on this text, by the thresholds above, the rarest role first; "mixed" for none.

    Args:
        scores: From `head_scores`, each of shape [layer, head].
        layer, head: The head, counted from 0.
        n_keys: Keys a token can see, on average; an even spread over them has log2(n_keys) bits.

    Example:
        >>> scores = {name: np.array([[0.9 if name == "first_token" else 0.1]]) for name in SCORES}
        >>> head_role(scores, 0, 0, 8.0)
        'first_token'
    """
    for name, threshold in THRESHOLDS.items():
        if scores[name][layer, head] >= threshold:
            return name  # type: ignore[return-value]
    return "even" if scores["entropy"][layer, head] >= EVEN * np.log2(max(n_keys, 1.1)) else "mixed"


def kl_bits(before: ArrayLike, after: ArrayLike) -> NDArray[np.float64]:
    """Change of a next-token distribution: KL(before || after) in bits.

    Args:
        before: Logits in nats, -inf for a token that cannot come. Shape [d_vocab].
        after: Logits in nats. Shape [..., d_vocab].

    Returns:
        0 where nothing changed, infinity where a token that could come no longer can. Shape [...].

    Example:
        >>> round(float(kl_bits(np.log([0.5, 0.5]), np.log([0.25, 0.75]))), 3)
        0.208
        >>> float(kl_bits([0.0, -np.inf], [0.0, -np.inf])), float(kl_bits([0.0, 0.0], [0.0, -np.inf]))
        (0.0, inf)

    Source:
        Kullback & Leibler 1951, "On Information and Sufficiency".
    """
    p, q = (_log_softmax(np.asarray(logits, dtype=np.float64)) for logits in (before, after))
    weights = np.exp(p)
    possible = weights > 0  # the others add p log(p / q) = 0, also where q is 0 too
    terms = weights[possible] * (p[possible] - q[..., possible])
    bits: NDArray[np.float64] = np.maximum(np.sum(terms, axis=-1), 0.0) / np.log(2)
    return bits


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logprobs: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logprobs
