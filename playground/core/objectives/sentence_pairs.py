"""Objectives on two texts: next sentence, sentence order, and a text with its translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from playground.core.objectives.masking import MaskedText, Vocabulary, mask_tokens

Ids = NDArray[np.int64]
_END = regex.compile(r"(?<=[.!?…。！？]['\"”’)\]]*)\s+")


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two sentences and the question on them.

    Attributes:
        first, second: As the model reads them.
        is_true: The answer: the second one really follows (next sentence), or both stand in the order of
            the text (sentence order).
    """

    first: str
    second: str
    is_true: bool


@dataclass(frozen=True, slots=True, eq=False)
class MaskedPair:
    """A text and its translation, read as one, tokens of both hidden.

    Attributes:
        text: Both, one after the other.
        position_ids: Positions, which begin anew with the translation. Shape [position].
        languages: 0 for the text, 1 for its translation. Shape [position].
    """

    text: MaskedText
    position_ids: Ids
    languages: NDArray[np.int8]


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, cut after full stops, question and exclamation marks.

    Example:
        >>> sentences('He came. "Why?" she said. 비가 온다.')
        ('He came.', '"Why?"', 'she said.', '비가 온다.')
    """
    return tuple(part for part in _END.split(text.strip()) if part)


def next_sentence(text: Sequence[str], others: Sequence[str], rng: np.random.Generator) -> SentencePair:
    """A sentence and, in half of all cases, the one that follows it; otherwise one of another text.

    Args:
        text: Sentences of a text, two at least.
        others: Sentences of other texts.
        rng: Source of the choice.

    Source:
        Devlin et al. 2019, section 3.1, task 2.
    """
    first = int(rng.integers(len(text) - 1))
    if rng.random() < 0.5:
        return SentencePair(text[first], text[first + 1], True)
    return SentencePair(text[first], others[int(rng.integers(len(others)))], False)


def sentence_order(text: Sequence[str], rng: np.random.Generator) -> SentencePair:
    """Two sentences that follow one another, in half of all cases the other way round.

    Args:
        text: Sentences of a text, two at least.
        rng: Source of the choice.

    Source:
        Lan et al. 2020, "ALBERT: A Lite BERT", section 3.1.
    """
    at = int(rng.integers(len(text) - 1))
    if rng.random() < 0.5:
        return SentencePair(text[at], text[at + 1], True)
    return SentencePair(text[at + 1], text[at], False)


def mask_translation(
    text: Ids, translation: Ids, special: Sequence[bool], vocabulary: Vocabulary, rng: np.random.Generator
) -> MaskedPair:
    """Hide 15 % of a text and its translation together: what is hidden here may be seen there.

    Args:
        text: Token ids of the text, its frame included. Shape [position].
        translation: Token ids of the translation, with the end of its frame. Shape [position].
        special: True for the tokens of the frames, of both. Length [position].
        vocabulary: The tokens that are written.
        rng: Source of the choice.

    Source:
        Lample & Conneau 2019, "Cross-lingual Language Model Pretraining", section 3.3.
    """
    ids = np.concatenate([text, translation])
    candidates = [at for at, is_frame in enumerate(special) if not is_frame]
    lengths = len(text), len(translation)
    return MaskedPair(
        mask_tokens(ids, candidates, vocabulary, rng),
        np.concatenate([np.arange(n) for n in lengths]),
        np.repeat(np.array([0, 1], dtype=np.int8), lengths),
    )
