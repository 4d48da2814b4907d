"""One position's way through the layers: its state, the model's guesses, and what changes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.trace import Trace

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualStream:
    """The residual stream of one position.

    Attributes:
        states: The state after the embedding and after each block, before the final norm where the model has
            one and `attention` and `mlp` are known. Shape [layer + 1, d_model].
        attention, mlp: What each block's attention and MLP added; None where the trace has not kept it.
            Shape [layer, d_model].
        final: The state after the last layer and the final norm. Shape [d_model].
    """

    states: Floats
    attention: Floats | None
    mlp: Floats | None
    final: Floats

    @property
    def norms(self) -> Floats:
        """Length of each state. Shape [layer + 1]."""
        lengths: Floats = np.linalg.norm(self.states, axis=-1)
        return lengths

    @property
    def cosines(self) -> Floats:
        """Cosine of each state and the last one. Shape [layer + 1]."""
        values: Floats = self.states @ self.states[-1] / (self.norms * self.norms[-1])
        return values


def residual_stream(trace: Trace, position: int, *, pre_norm: bool) -> ResidualStream:
    """The residual stream of a position.

    Args:
        trace: A trace with all hidden states.
        position: Index of the token.
        pre_norm: Blocks add to the stream and the norm comes after the last (llama, GPT-2): the state before
            that norm is then the one before plus what the last block wrote.
    """
    assert trace.hidden_states is not None
    states = trace.hidden_states[:, position].astype(np.float64)
    final = states[-1].copy()
    attention, mlp = (
        None if added is None else added[:, position].astype(np.float64)
        for added in (trace.attn_out, trace.mlp_out)
    )
    if pre_norm and attention is not None and mlp is not None:
        states[-1] = states[-2] + attention[-1] + mlp[-1]
    return ResidualStream(states, attention, mlp, final)


def parts(residual: ResidualStream) -> Floats:
    """The vectors that the embedding, and attention and MLP of every block, add; they sum to the last state.

    Returns:
        Shape [1 + 2 * layer, d_model], in the order they are added.
    """
    assert residual.attention is not None
    assert residual.mlp is not None
    d_model = residual.states.shape[-1]
    added = np.stack([residual.attention, residual.mlp], axis=1).reshape(-1, d_model)
    return np.vstack([residual.states[:1], added])


def log_probabilities(logits: NDArray[np.float32]) -> Floats:
    """Natural logarithm of the softmax. Same shape, float64."""
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    logprobs: Floats = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return logprobs


def log_probabilities_of(logits: NDArray[np.float32], token_ids: NDArray[np.int64]) -> Floats:
    """As `log_probabilities`, of some tokens alone: row by row, so that a row stays in the processor's cache.

    Args:
        logits: Shape [row, d_vocab].
        token_ids: Shape [n].

    Returns:
        Shape [row, n].
    """
    found = np.empty((len(logits), len(token_ids)))
    for row, own in zip(logits, found, strict=True):
        scores = row.astype(np.float64)
        scores -= scores.max()
        own[:] = scores[token_ids]
        own -= np.log(np.exp(scores, out=scores).sum())
    return found


def ranks(logits: NDArray[np.float32], token_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranks of tokens after each layer: the number of tokens with a larger logit, 0 = first.

    Args:
        logits: Shape [layer, d_vocab].
        token_ids: Shape [n].

    Returns:
        Shape [layer, n].

    Example:
        >>> ranks(np.array([[3.0, 1.0, 2.0]], np.float32), np.array([0, 1])).tolist()
        [[0, 2]]
    """
    found = [[np.count_nonzero(row > row[token]) for token in token_ids] for row in logits]
    return np.array(found, dtype=np.int64)


def best_at_any_layer(
    top_ids: NDArray[np.int64], top_probs: NDArray[np.float32], n: int
) -> NDArray[np.int64]:
    """The n tokens with the best rank at any layer; of equal ones those more probable there.

    Args:
        top_ids: The most probable tokens after each layer, best first. Shape [layer + 1, n_top].
        top_probs: Their probabilities. Same shape.
        n: Number of tokens, at most n_top; the answer of the last layer is always the first.

    Returns:
        Token ids. Shape [n].

    Example:
        >>> ids, probs = np.array([[7, 5], [3, 5]]), np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
        >>> best_at_any_layer(ids, probs, 2).tolist()
        [3, 7]

    Source:
        The choice of Alammar 2021, "Ecco", and of nostalgebraist 2020: to follow only what wins at the end
        hides what the model considered on the way.
    """
    rank_of_each = np.broadcast_to(np.arange(top_ids.shape[-1]), top_ids.shape).ravel()
    order = np.lexsort((-top_probs.ravel(), rank_of_each))
    wanted = dict.fromkeys([int(top_ids[-1, 0]), *top_ids.ravel()[order].tolist()])
    return np.array(list(wanted)[:n], dtype=np.int64)


def settled_layer(answer_ranks: NDArray[np.int64]) -> int:
    """The layer from which on the answer stays the best guess.

    Args:
        answer_ranks: Rank of the answer after each layer, 0 = first; the last is 0. Shape [layer + 1].

    Example:
        >>> settled_layer(np.array([7, 0, 3, 0, 0]))
        3
    """
    wrong = np.flatnonzero(answer_ranks)
    return int(wrong[-1]) + 1 if len(wrong) else 0
