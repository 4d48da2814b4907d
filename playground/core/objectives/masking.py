"""Masked language modelling: hide tokens, whole words or spans of a text; the answer is what stood there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARE = 0.15  # of the tokens that are to be predicted
FATES = (0.8, 0.1, 0.1)  # of those: masked, another token, left as they are
UNTOUCHED, MASKED, RANDOM, KEPT = range(4)
SPAN_P, LONGEST_SPAN = 0.2, 10  # SpanBERT: lengths in words are geometric, cut at 10

Ids = NDArray[np.int64]
Words = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The token ids that a masking may write.

    Attributes:
        mask_id: The token that stands for one the model cannot see.
        replacements: Ids that a random token is drawn from, without special tokens. Shape [token].
    """

    mask_id: int
    replacements: Ids


@dataclass(frozen=True, slots=True, eq=False)
class MaskedText:
    """A text as a masked language model reads it in training.

    Attributes:
        ids: Token ids of the text. Shape [position].
        input_ids: Token ids that the model reads. Shape [position].
        fates: UNTOUCHED where nothing is predicted, otherwise MASKED, RANDOM or KEPT. Shape [position].
    """

    ids: Ids
    input_ids: Ids
    fates: NDArray[np.int8]

    @property
    def positions(self) -> Ids:
        """Positions whose token the model is to say. Shape [chosen]."""
        return np.flatnonzero(self.fates != UNTOUCHED)


@dataclass(frozen=True, slots=True)
class BoundaryTarget:
    """A token that the span boundary objective predicts from what stands around its span.

    Attributes:
        position: Position of the token.
        left, right: Positions of the two tokens outside the span.
        offset: Place of the token in its span, from 1.
    """

    position: int
    left: int
    right: int
    offset: int


def n_predicted(n_tokens: int) -> int:
    """Number of tokens to predict of this many: 15 %, at least one.

    Source:
        Devlin et al. 2019, `create_pretraining_data.py`.

    Example:
        >>> n_predicted(100), n_predicted(3), n_predicted(0)
        (15, 1, 0)
    """
    return min(n_tokens, max(1, round(n_tokens * SHARE)))


def mask_tokens(
    ids: Ids, candidates: Sequence[int], vocabulary: Vocabulary, rng: np.random.Generator
) -> MaskedText:
    """Choose 15 % of the tokens, each for itself; of those 80 % are masked, 10 % replaced, 10 % kept.

    Args:
        ids: Token ids of the text. Shape [position].
        candidates: Positions that may be chosen: not the frame of the text.
        vocabulary: The tokens that are written.
        rng: Source of the choice.

    Source:
        Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers", section 3.1.
    """
    some = rng.choice(np.asarray(candidates, dtype=np.int64), n_predicted(len(candidates)), replace=False)
    return _hidden(ids, np.sort(some), vocabulary, rng)


def mask_words(ids: Ids, words: Words, vocabulary: Vocabulary, rng: np.random.Generator) -> MaskedText:
    """As `mask_tokens`, but all tokens of a word are chosen together.

    Words come in random order; one that would pass the 15 % is left out. Where every word would, the shortest
    one is taken.

    Args:
        ids: Token ids of the text. Shape [position].
        words: Positions of the tokens of each word.
        vocabulary: The tokens that are written.
        rng: Source of the choice.

    Source:
        Devlin et al., BERT repository, "Whole Word Masking Models", May 2019.
    """
    most = n_predicted(sum(map(len, words)))
    chosen: list[int] = []
    for word in rng.permutation(len(words)):
        if len(chosen) + len(words[word]) <= most:
            chosen += words[word]
    if not chosen and words:
        chosen = list(words[int(np.argmin([len(word) for word in words]))])
    return _hidden(ids, np.sort(np.array(chosen, dtype=np.int64)), vocabulary, rng)


def mask_spans(
    ids: Ids, words: Words, vocabulary: Vocabulary, rng: np.random.Generator
) -> tuple[MaskedText, tuple[BoundaryTarget, ...]]:
    """Hide spans of whole words until 15 % are hidden; the tokens of a span have the same fate.

    No two spans touch: the tokens around a span, from which the span boundary objective predicts it, are
    seen. The last span is cut where the 15 % are reached.

    Args:
        ids: Token ids of the text, its frame included. Shape [position].
        words: Positions of the tokens of each word, in order.
        vocabulary: The tokens that are written.
        rng: Source of the choice.

    Returns:
        The text, and how each hidden token is predicted from its span's boundary.

    Source:
        Joshi et al. 2020, "SpanBERT: Improving Pre-training by Representing and Predicting Spans".
    """
    most = n_predicted(sum(map(len, words)))
    spans: list[list[int]] = []
    free, n_hidden = list(range(len(words))), 0
    while n_hidden < most and free:
        first = int(rng.choice(free))
        n_words = int(min(rng.geometric(SPAN_P), LONGEST_SPAN))
        taken = [first]
        while len(taken) < n_words and taken[-1] + 1 in free:
            taken.append(taken[-1] + 1)
        span = [at for word in taken for at in words[word]][: most - n_hidden]
        spans.append(span)
        n_hidden += len(span)
        free = [word for word in free if not taken[0] - 1 <= word <= taken[-1] + 1]
    input_ids, fates = ids.copy(), np.zeros(len(ids), dtype=np.int8)
    for span in spans:
        fate = int(rng.choice([MASKED, RANDOM, KEPT], p=FATES))
        fates[span] = fate
        _write(input_ids, span, fate, vocabulary, rng)
    targets = (
        BoundaryTarget(at, span[0] - 1, span[-1] + 1, offset)
        for span in sorted(spans)
        for offset, at in enumerate(span, start=1)
    )
    return MaskedText(ids, input_ids, fates), tuple(targets)


def _hidden(ids: Ids, chosen: Ids, vocabulary: Vocabulary, rng: np.random.Generator) -> MaskedText:
    input_ids, fates = ids.copy(), np.zeros(len(ids), dtype=np.int8)
    drawn = rng.choice([MASKED, RANDOM, KEPT], size=len(chosen), p=FATES)
    fates[chosen] = drawn
    for fate in (MASKED, RANDOM):
        _write(input_ids, chosen[drawn == fate].tolist(), fate, vocabulary, rng)
    return MaskedText(ids, input_ids, fates)


def _write(
    input_ids: Ids, positions: Sequence[int], fate: int, vocabulary: Vocabulary, rng: np.random.Generator
) -> None:
    if fate == MASKED:
        input_ids[list(positions)] = vocabulary.mask_id
    elif fate == RANDOM:
        input_ids[list(positions)] = rng.choice(vocabulary.replacements, size=len(positions))
