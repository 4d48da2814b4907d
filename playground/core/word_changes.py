"""Two texts word by word: what both say in the same order, and what one of them alone says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_WORDS = 600
_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Change:
    """A run of words.

    Attributes:
        kind: Whether both texts have it, or one of them alone.
        text: The words, with the spaces before them.
    """

    kind: Literal["both", "first", "second"]
    text: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The comparison of two texts.

    Attributes:
        parts: In order; those of "both" and "first" together are the first text, as far as it was read.
        n_both, n_first, n_second: Words.
        n_left_out: Words of either text beyond the limit, which were not compared.
    """

    parts: tuple[Change, ...]
    n_both: int
    n_first: int
    n_second: int
    n_left_out: int

    @property
    def same_share(self) -> float:
        """Words that both have, of all words of the longer text; 1 for two empty ones."""
        longer = self.n_both + max(self.n_first, self.n_second)
        return self.n_both / longer if longer else 1.0


def compared(first: str, second: str, most: int = MOST_WORDS) -> Changes:
    """Compare two texts word by word.

    Args:
        first, second: The texts.
        most: Words of each that are read.

    Example:
        >>> [(part.kind, part.text) for part in compared("a red cat", "a blue cat").parts]
        [('both', 'a'), ('first', ' red'), ('second', ' blue'), ('both', ' cat')]
    """
    every = [_WORD.findall(text) for text in (first, second)]
    own, other = (words[:most] for words in every)
    matcher = SequenceMatcher(None, [w.strip() for w in own], [w.strip() for w in other], autojunk=False)
    parts: list[Change] = []
    n_both = 0
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            n_both += b - a
            parts.append(Change("both", "".join(own[a:b])))
            continue
        parts += [Change("first", text) for text in _joined(own[a:b])]
        parts += [Change("second", text) for text in _joined(other[c:d])]
    left_out = sum(map(len, every)) - len(own) - len(other)
    return Changes(tuple(parts), n_both, len(own) - n_both, len(other) - n_both, left_out)


def _joined(words: Sequence[str]) -> list[str]:
    return ["".join(words)] if words else []
