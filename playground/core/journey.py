"""The path of one sentence through a model, in the few numbers one picture can carry.

    text -> tokens -> vectors -> attention -> next token        (decoders)
    text -> tokens -> vectors -> attention -> sentence vector   (encoders)

All of it is read off one Trace; nothing is computed by a model here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core import ranking, sampling
from playground.core.trace import Trace, weights_from_uint8

N_ROWS = 8  # lines the picture has room for
N_DIMENSIONS = 8  # numbers of each vector it shows
N_NEXT = 5  # candidates it names

Choice = Literal["sharpest", "itself", "alone"]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionRow:
    """The attention weights of one head from one position.

    Attributes:
        layer, head: The head, counted from 0.
        query: The position that attends.
        focus: The position whose weight made this head the choice.
        weights: Its attention weights; they sum to 1 up to the rounding of the trace. Shape [position].
        choice: Reason for this head: sharpest (most weight on one token that is neither the first, nor
            special, nor the query), itself (there is no such token: most weight on the query), alone (one
            token).
    """

    layer: int
    head: int
    query: int
    focus: int
    weights: NDArray[np.float32]
    choice: Choice

    @property
    def most(self) -> int:
        """Position with the largest weight, whichever it is."""
        return int(self.weights.argmax())


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """One line of the picture: a token (`stop == start + 1`) or several in a row that it has no room for."""

    start: int
    stop: int

    @property
    def is_single(self) -> bool:
        """True if it is one token."""
        return self.stop == self.start + 1


@dataclass(frozen=True, slots=True, eq=False)
class NextTokens:
    """The most probable next tokens, and the probability of all others together.

    Attributes:
        token_ids: Best first. Shape [n].
        probs: Probabilities over the whole vocabulary, temperature 1, nothing cut. Shape [n].
        n_rest: Number of tokens that are not named.
        rest: Probability of these together.
    """

    token_ids: NDArray[np.int64]
    probs: NDArray[np.float64]
    n_rest: int
    rest: float


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """The numbers of one Trace that the picture shows.

    Attributes:
        vectors: First numbers of each token's embedding. Shape [position, N_DIMENSIONS].
        attention: One row of one head, None when the trace has no attentions.
        next: The next tokens, None for models that predict none.
        sentence: Vector of the whole text, for these models. Shape [d_model].
    """

    vectors: NDArray[np.float32]
    attention: AttentionRow | None
    next: NextTokens | None
    sentence: NDArray[np.float32] | None


def read(trace: Trace, special: Sequence[bool]) -> Journey:
    """Read the journey of a sentence off its trace.

    Args:
        trace: A trace with hidden layer 0, and with logits of the last position or else its last layer.
        special: True for tokens that the tokenizer added. Length [position].
    """
    following = next_tokens(trace)
    return Journey(
        vectors=first_dimensions(trace),
        attention=sharpest_head(trace, special),
        next=following,
        sentence=sentence_vector(trace) if following is None else None,
    )


def query_position(special: Sequence[bool]) -> int:
    """The last token that comes from the text: the one a decoder continues from.

    Example:
        >>> query_position([True, False, False, True])
        2
    """
    own = [position for position, added in enumerate(special) if not added]
    return own[-1] if own else len(special) - 1


def sharpest_head(trace: Trace, special: Sequence[bool]) -> AttentionRow | None:
    """The head that, from the last token of the text, puts the most weight on one single token.

    The first token and special ones do not count, because many heads park there; nor does the token itself.
    Equal heads: the first of them.

    Args:
        trace: A trace with attentions of shape [layer, head, query, key], or without any.
        special: True for tokens that the tokenizer added. Length [position].

    Returns:
        None when the trace has no attentions.

    Source:
        Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks", arXiv:2309.17453,
        section 3.1: why the first token does not count.
    """
    if trace.attentions is None:
        return None
    query = query_position(special)
    weights = _weights(trace.attentions[:, :, query, :])
    keys, choice = _keys_that_count(special, query)
    best = weights[:, :, keys].max(axis=-1)
    layer, head = np.unravel_index(int(best.argmax()), best.shape)
    row = weights[layer, head]
    return AttentionRow(int(layer), int(head), query, keys[int(row[keys].argmax())], row, choice)


def _weights(attentions: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Attention weights in [0, 1], whatever the trace stores them as. Any shape."""
    if attentions.dtype == np.uint8:
        return weights_from_uint8(attentions.view(np.uint8))
    return attentions.astype(np.float32)


def _keys_that_count(special: Sequence[bool], query: int) -> tuple[list[int], Choice]:
    others = [k for k in range(1, len(special)) if not special[k] and k != query]
    if others:
        return others, "sharpest"
    return [query], "itself" if len(special) > 1 else "alone"


def rows(
    n_tokens: int, query: int, weights: NDArray[np.float32] | None, selected: int | None = None
) -> list[JourneyRow]:
    """Choose the tokens the picture shows; runs of the others become one line each.

    The query and the reader's selected token come first, then the tokens with the most attention; without
    attention those nearest to the end.

    Args:
        n_tokens: Length of the sentence.
        query: The position that attends.
        weights: Attention weights of the query. Shape [position], or None.
        selected: The reader's token, or None.

    Returns:
        At most `N_ROWS` lines that cover every token once, in the order of the text.

    Example:
        >>> rows(20, 19, None)[:3]
        [JourneyRow(start=0, stop=13), JourneyRow(start=13, stop=14), JourneyRow(start=14, stop=15)]
    """
    order = np.arange(n_tokens)[::-1] if weights is None else np.argsort(-weights, kind="stable")
    shown = {query} if selected is None else {query, selected}
    for position in order.tolist():
        if len(_lines(shown | {position}, n_tokens)) <= N_ROWS:
            shown.add(position)
    return _lines(shown, n_tokens)


def _lines(shown: set[int], n_tokens: int) -> list[JourneyRow]:
    """Shown tokens and the runs between them."""
    lines: list[JourneyRow] = []
    after = 0
    for position in [*sorted(shown), n_tokens]:
        if position > after:
            lines.append(JourneyRow(after, position))
        if position < n_tokens:
            lines.append(JourneyRow(position, position + 1))
        after = position + 1
    return lines


def first_dimensions(trace: Trace) -> NDArray[np.float32]:
    """The first numbers of each token's embedding. Shape [position, n], n = min(N_DIMENSIONS, d_model).

    Raises:
        ValueError: The trace has no layer 0.
    """
    return _layer(trace, 0)[:, :N_DIMENSIONS]


def _layer(trace: Trace, layer: int) -> NDArray[np.float32]:
    if trace.hidden_states is None or layer not in trace.hidden_layers:
        raise ValueError(f"the trace has hidden layers {trace.hidden_layers}, not {layer}")
    states: NDArray[np.float32] = trace.hidden_states[trace.hidden_layers.index(layer)]
    return states


def next_tokens(trace: Trace) -> NextTokens | None:
    """The most probable next tokens after the last position; None when the trace has no logits."""
    if trace.logits is None:
        return None
    ranked = ranking.rank(trace.logits[-1])
    full = sampling.distribution(ranked)
    n = min(N_NEXT, full.n_kept)
    return NextTokens(full.token_ids[:n], full.probs[:n], len(ranked) - n, float(full.probs[n:].sum()))


def sentence_vector(trace: Trace) -> NDArray[np.float32]:
    """One vector for the whole text: the mean of its last layer, brought to length 1. Shape [d_model].

    Raises:
        ValueError: The trace has no hidden states.

    Source:
        Reimers and Gurevych 2019, "Sentence-BERT", arXiv:1908.10084, section 3 (mean pooling).
    """
    if not trace.hidden_layers:
        raise ValueError("the trace has no hidden states")
    mean = _layer(trace, max(trace.hidden_layers)).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
