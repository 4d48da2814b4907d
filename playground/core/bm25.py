"""BM25 over pieces of 2 and 3 characters, taken apart: the share of each piece of a query in a score.

The database computes the scores; this says what they are made of, and a test holds both together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SIZES = (2, 3)
K1, B = 1.2, 0.75
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class PieceCounts:
    """Counts of a collection that every score depends on.

    Attributes:
        n_texts: Texts with at least one piece.
        mean_length: Mean number of pieces of those.
        holders: Piece -> number of texts that hold it.
    """

    n_texts: int
    mean_length: float
    holders: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        """Memory of the counts, about."""
        return 120 * len(self.holders)


def pieces(text: str) -> Iterator[str]:
    """The runs of 2 and of 3 characters of a text in lower case, spaces included.

    Example:
        >>> list(pieces("Abc"))
        ['ab', 'bc', 'abc']
    """
    lower = text.lower()
    for size in SIZES:
        yield from (lower[at : at + size] for at in range(len(lower) - size + 1))


def count(texts: Sequence[str]) -> PieceCounts:
    """Count the pieces of all texts of a collection."""
    holders: Counter[str] = Counter()
    n_pieces = n_texts = 0
    for text in texts:
        found = list(pieces(text))
        n_texts, n_pieces = n_texts + bool(found), n_pieces + len(found)
        holders.update(set(found))
    return PieceCounts(n_texts, n_pieces / max(1, n_texts), holders)


def contributions(query: str, text: str, counts: PieceCounts) -> dict[str, float]:
    """Score of a text, piece by piece of the query, the largest first; their sum is the BM25 score.

    idf = ln(1 + (N - n + 0.5) / (n + 0.5)), tf part = f (k1 + 1) / (f + k1 (1 - b + b length / mean length)).

    Args:
        query: Each of its pieces counts once.
        text: A text of the collection.
        counts: From `count`.

    Source:
        Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", with the idf of
        Lucene, which is never negative.
    """
    here = Counter(pieces(text))
    length = sum(here.values())
    made = {}
    for piece in dict.fromkeys(pieces(query)):
        if f := here[piece]:
            n = counts.holders[piece]
            idf = math.log(1 + (counts.n_texts - n + 0.5) / (n + 0.5))
            made[piece] = idf * f * (K1 + 1) / (f + K1 * (1 - B + B * length / counts.mean_length))
    return dict(sorted(made.items(), key=lambda one: -one[1]))


def heaviest(parts: Mapping[str, float], share: float) -> tuple[str, ...]:
    """The fewest pieces that give this share of a score.

    Args:
        parts: From `contributions`, the largest first.
        share: 0 to 1.

    Example:
        >>> heaviest({"ab": 6.0, "bc": 3.0, "cd": 1.0}, 0.8)
        ('ab', 'bc')
    """
    wanted, found = share * sum(parts.values()), []
    for piece, score in parts.items():
        if wanted <= 0:
            break
        found.append(piece)
        wanted -= score
    return tuple(found)


def places(text: str, wanted: Sequence[str]) -> tuple[Span, ...]:
    """The characters of a text that some pieces cover, as spans that do not touch.

    Example:
        >>> places("서울은 서울", ["서울"]), places("abcd", ["ab", "bc"])
        (((0, 2), (4, 6)), ((0, 3),))
    """
    lower = text.lower()
    if len(lower) != len(text):  # a letter that is two in lower case: İ
        return ()
    covered = bytearray(len(text))
    for piece in wanted:
        at = lower.find(piece)
        while at >= 0:
            covered[at : at + len(piece)] = b"\x01" * len(piece)
            at = lower.find(piece, at + 1)
    starts = [i for i, on in enumerate(covered) if on and not (i and covered[i - 1])]
    ends = [i + 1 for i, on in enumerate(covered) if on and not (i + 1 < len(covered) and covered[i + 1])]
    return tuple(zip(starts, ends, strict=True))
