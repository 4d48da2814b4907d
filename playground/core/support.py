"""Support of an answer in the chunks it was given, by words and by vectors. It proves nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core.chunks import boundaries

Verdict = Literal["both", "words", "vector", "neither"]
MIN_OVERLAP = 0.75  # share of a sentence's new words
MIN_COSINE = 0.87  # of e5, whose cosines of anything with anything are above 0.7
_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
_FEW_LETTERS = 3  # Latin words that short are mostly grammar
_STEM = 2  # syllables of a Korean word that are compared: particles and endings follow them


@dataclass(frozen=True, slots=True)
class Supported:
    """A sentence of an answer, and what stands in the chunks for it.

    Attributes:
        span: First character of the sentence in the answer and the one after its last.
        overlap: Share of its words, those of the question left out, that stand in the chunks; None where it
            has none but those of the question.
        cosine: Largest cosine of its vector with that of a sentence of the chunks; None without chunks.
        source: Number of that sentence.
        missing: Words of it that neither the question nor the chunks have.
    """

    span: tuple[int, int]
    overlap: float | None
    cosine: float | None
    source: int | None
    missing: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Signs of support: `MIN_OVERLAP` of its new words, a cosine of `MIN_COSINE`, or more."""
        by_words = self.overlap is not None and self.overlap >= MIN_OVERLAP
        by_vector = self.cosine is not None and self.cosine >= MIN_COSINE
        if by_words:
            return "both" if by_vector else "words"
        return "vector" if by_vector else "neither"


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the sentences of a text, without the space around them.

    Example:
        >>> [("One. Two!")[a:b] for a, b in sentences("One. Two!")]
        ['One.', 'Two!']
    """
    spans, start = [], 0
    for end in boundaries(text).sentences:
        bare = text[start:end]
        if bare.strip():
            first = start + len(bare) - len(bare.lstrip())
            spans.append((first, start + len(bare.rstrip())))
        start = end
    return tuple(spans)


def words(text: str) -> dict[str, str]:
    """Words that say something, as they are compared -> as they are written first.

    Numbers count, and Latin words of more than three letters; of a Korean word its first two syllables.

    Example:
        >>> list(words("The cook is Bram, 18:15.")), list(words("요리사는 브램"))
        (['cook', 'bram', '18:15'], ['요리', '브램'])
    """
    found: dict[str, str] = {}
    for word in _WORD.findall(text):
        key = word.casefold()
        if word.isascii() and word.isalpha() and len(word) <= _FEW_LETTERS:
            continue
        if "가" <= word[0] <= "힣":
            key = word[:_STEM]
        found.setdefault(key, word)
    return found


def support(
    answer: str, question: str, chunks: Sequence[str], cosines: NDArray[np.floating] | None
) -> tuple[Supported, ...]:
    """Look for each sentence of an answer in the chunks.

    Args:
        answer: The answer.
        question: The question: its own words in the answer say nothing.
        chunks: The chunks; () for a closed book.
        cosines: Cosine of each sentence of the answer with each sentence of all chunks, in order.
            Shape [n_answer_sentences, n_chunk_sentences]; None without chunks.

    Example:
        >>> cosines = np.array([[0.9]])
        >>> (one,) = support("The cook is Bram.", "Who is the cook?", ["Our cook is Bram."], cosines)
        >>> one.overlap, one.verdict
        (1.0, 'both')
    """
    asked, known = words(question), {word for chunk in chunks for word in words(chunk)}
    found = []
    for place, (start, end) in enumerate(sentences(answer)):
        new = {key: word for key, word in words(answer[start:end]).items() if key not in asked}
        missing = tuple(word for key, word in new.items() if key not in known)
        cosine, source = None, None
        if cosines is not None and cosines.shape[1]:
            source = int(cosines[place].argmax())
            cosine = float(cosines[place, source])
        overlap = 1 - len(missing) / len(new) if new else None
        found.append(Supported((start, end), overlap, cosine, source, missing))
    return tuple(found)
