"""Questions about a text: the sentences of the text, and the one that is nearest to the question."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from playground.core.jobs.items import QuestionItem
from playground.core.objectives.sentence_pairs import sentences

Span = tuple[int, int]


def sentence_spans(text: str) -> tuple[Span, ...]:
    """First character of each sentence and the one behind its last.

    Example:
        >>> sentence_spans("It rains.  Stay here.")
        ((0, 9), (11, 21))
    """
    spans: list[Span] = []
    for sentence in sentences(text):
        start = text.index(sentence, spans[-1][1] if spans else 0)
        spans.append((start, start + len(sentence)))
    return tuple(spans)


def nearest(question: ArrayLike, passages: ArrayLike) -> tuple[int, list[float]]:
    """The passage whose vector has the largest cosine with the question's, and all cosines.

    Args:
        question: A vector of length 1. Shape [d_model].
        passages: Vectors of length 1. Shape [passage, d_model].

    Example:
        >>> nearest([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]])
        (1, [0.0, 1.0])
    """
    cosines = np.asarray(passages, dtype=np.float64) @ np.asarray(question, dtype=np.float64)
    return int(cosines.argmax()), cosines.tolist()


def holds_answer(item: QuestionItem, span: Span) -> bool:
    """True if one of the right answers stands within these characters of the text."""
    start, end = span
    places = [(item.context.index(answer), len(answer)) for answer in item.answers]
    return any(start <= at and at + length <= end for at, length in places)
