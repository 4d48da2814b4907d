"""A text cut into chunks by characters, tokens or sentences, with an overlap, at ends of words or sentences.

The browser cuts the same way while a slider moves: `ui/components/chunk_cuts/chunk_cuts.js`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from playground.errors import BadValue

Measure = Literal["characters", "tokens", "sentences"]
Ends = Literal["words", "sentences"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
ENDS: tuple[Ends, ...] = get_args(Ends)
Span = tuple[int, int]

_WORD = re.compile(r"\s+")
# A sentence ends with its mark, closing quotes and brackets, and the space behind; a line ends one as well.
_SENTENCE = re.compile(r"""[.!?…。！？]+["'”’»)\]]*\s+|\n\s*""")


@dataclass(frozen=True, slots=True)
class Chunking:
    """Settings of a cut.

    Attributes:
        measure: Unit of size and overlap.
        size: Most units of a chunk.
        overlap: Most units that a chunk repeats of the one before it; less than the size.
        ends: Places where a chunk may end; with the measure "sentences" always those of sentences.
    """

    measure: Measure = "characters"
    size: int = 400
    overlap: int = 80
    ends: Ends = "sentences"

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise BadValue(name="measure", value=self.measure, allowed=", ".join(MEASURES))
        if self.ends not in ENDS:
            raise BadValue(name="ends", value=self.ends, allowed=", ".join(ENDS))
        if self.size < 1:
            raise BadValue(name="size", value=self.size, allowed="≥ 1")
        if not 0 <= self.overlap < self.size:
            raise BadValue(name="overlap", value=self.overlap, allowed=f"0-{self.size - 1}")


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Places in a text where something ends, as numbers of characters before them, in ascending order.

    Attributes:
        n_chars: Length of the text.
        words, sentences: Ends of words and of sentences, the space behind them included; the last is the
            text's own end.
        tokens: Ends of tokens; empty where they are not known.
    """

    n_chars: int
    words: tuple[int, ...]
    sentences: tuple[int, ...]
    tokens: tuple[int, ...] = ()


def boundaries(text: str, token_ends: Sequence[int] = ()) -> Boundaries:
    """Find the ends of words and sentences.

    Args:
        text: Anything.
        token_ends: End of each token in characters, in ascending order.

    Example:
        >>> boundaries("One. Two three").words, boundaries("One. Two three").sentences
        ((5, 9, 14), (5, 14))
    """
    return Boundaries(len(text), _ends(_WORD, text), _ends(_SENTENCE, text), tuple(token_ends))


def cut(found: Boundaries, how: Chunking) -> tuple[Span, ...]:
    """Cut a text: every chunk takes as much as its size allows, the next one begins within the overlap.

    What is longer than a chunk is cut finer: a sentence between its words, a word between its characters
    (or tokens). Each chunk ends behind the one before, and no character is left out.

    Args:
        found: From `boundaries`.
        how: Settings.

    Returns:
        (start, end) of each chunk in characters.

    Example:
        >>> text = "One two. Three four. Five."
        >>> [text[a:b] for a, b in cut(boundaries(text), Chunking("characters", 16, 8, "words"))]
        ['One two. Three ', 'Three four. ', 'four. Five.']
    """
    places = _places(found, how)
    weights = [_weight(found, how.measure, place) for place in places]
    spans, first, last = [], 0, len(places) - 1
    while first < last:
        end = max(first + 1, bisect_right(weights, weights[first] + how.size) - 1)
        spans.append((places[first], places[end]))
        if end == last:
            break
        first += 1
        while weights[end] - weights[first] > how.overlap or (
            first < end and weights[end + 1] - weights[first] > how.size
        ):
            first += 1
    return tuple(spans)


def new_part(spans: Sequence[Span], place: int) -> Span:
    """The part of a chunk that no chunk before it has.

    Example:
        >>> new_part([(0, 5), (3, 9)], 1)
        (5, 9)
    """
    start, end = spans[place]
    return (max(start, spans[place - 1][1]), end) if place else (start, end)


def _ends(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    found = [match.end() for match in pattern.finditer(text)]
    return tuple(found if not text or (found and found[-1] == len(text)) else [*found, len(text)])


def _places(found: Boundaries, how: Chunking) -> list[int]:
    """Places where a chunk may begin or end, 0 and the end of the text included."""
    by_sentence = how.measure == "sentences" or how.ends == "sentences"
    places = [0]
    for end in found.sentences if by_sentence else found.words:
        if how.measure == "sentences" or _fits(found, how, places[-1], end):
            places.append(end)
        else:
            for word in _between(found.words, places[-1], end):
                if not _fits(found, how, places[-1], word):
                    places += _within(found, how, places[-1], word)
                places.append(word)
    return places


def _within(found: Boundaries, how: Chunking, start: int, end: int) -> Sequence[int]:
    """Places inside a word that is longer than a chunk."""
    if how.measure == "tokens":
        return sorted({place for place in _between(found.tokens, start, end) if place < end})
    return range(start + 1, end)


def _fits(found: Boundaries, how: Chunking, start: int, end: int) -> bool:
    return _weight(found, how.measure, end) - _weight(found, how.measure, start) <= how.size


def _weight(found: Boundaries, measure: Measure, place: int) -> int:
    """Units before a place."""
    if measure == "characters":
        return place
    return bisect_right(found.tokens if measure == "tokens" else found.sentences, place)


def _between(ends: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Those of the ends that lie behind `start`, up to `end`."""
    return ends[bisect_right(ends, start) : bisect_right(ends, end)]
