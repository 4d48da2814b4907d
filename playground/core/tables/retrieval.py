"""Tables of documents that are looked up in: what searches found, and the chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

FOUND = ("way", "rank", "chunk", "document", "place", "page", "language", "date", "score", "text")
Facts = Mapping[str, object]


def found(lists: Mapping[str, Sequence[tuple[int, float]]], chunks: Sequence[Facts]) -> pd.DataFrame:
    """A row for each chunk that a search found: way, rank (from 1), chunk (from 1) with its facts, score.

    Args:
        lists: Way of searching -> (number of the chunk, score), best first.
        chunks: Facts about every chunk by its number: document, place, page, language, date, text.
    """
    rows = [
        {"way": way, "rank": rank, "chunk": number + 1, "score": score, **chunks[number]}
        for way, hits in lists.items()
        for rank, (number, score) in enumerate(hits, 1)
    ]
    return pd.DataFrame(rows, columns=list(FOUND))


def cuts(spans: Sequence[tuple[int, int]], text: str) -> pd.DataFrame:
    """A row for each chunk of a text: chunk (from 1), start, end, characters, repeated, text.

    Args:
        spans: (start, end) of each in characters.
        text: The text.
    """
    ends = [0, *(end for _start, end in spans)]
    rows = [
        (number + 1, start, end, end - start, max(0, ends[number] - start) if number else 0, text[start:end])
        for number, (start, end) in enumerate(spans)
    ]
    return pd.DataFrame(rows, columns=["chunk", "start", "end", "characters", "repeated", "text"])
