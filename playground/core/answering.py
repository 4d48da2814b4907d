"""Answers to questions about documents: whether a text says the right one."""

from __future__ import annotations

import re
from collections.abc import Iterable


def places(text: str, answer: str) -> list[int]:
    """Places at which an answer stands in a text as words of its own, in characters of the text.

    Upper and lower case count as the same. The answer begins where a word begins; it ends where a word
    ends if its last character is a Latin letter or a digit (Korean particles follow without a space);
    18 is not in 18:15.

    Example:
        >>> places("Open from 18:15, 18 crowns.", "18"), places("anticlockwise", "clockwise")
        ([17], [])
        >>> places("생강차가 나옵니다.", "생강차")
        [0]
    """
    words = r"\s+".join(map(re.escape, answer.split()))
    pattern = rf"(?<!\w)(?<!\d[.,:]){words}"
    if re.search(r"[A-Za-z0-9]\Z", answer):
        pattern += r"(?![A-Za-z0-9])(?![.,:]\d)"
    return [found.start() for found in re.finditer(pattern, text, re.IGNORECASE)]


def says(text: str, answers: Iterable[str]) -> bool:
    """True if a text holds one of the answers, as `places` finds it."""
    return any(places(text, answer) for answer in answers)
