"""Characters as the ids that a network reads and writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

PAD, START, END = 0, 1, 2
N_MARKS = 3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Ids of characters: 0 fills up, 1 starts a target, 2 ends one, then the characters in their order.

    Attributes:
        characters: Every character that has an id, once, in the order of the ids.

    Example:
        >>> Vocabulary("ab").ids("ba")
        (4, 3)
        >>> Vocabulary("ab").text((4, 3, 2))
        'ba'
    """

    characters: str
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the characters."""
        places = {character: N_MARKS + place for place, character in enumerate(self.characters)}
        object.__setattr__(self, "_places", places)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """The characters of some texts, sorted."""
        return cls("".join(sorted({character for text in texts for character in normal(text)})))

    def __len__(self) -> int:
        """Number of ids, the three marks too."""
        return N_MARKS + len(self.characters)

    def unknown(self, text: str) -> str:
        """The characters of a text that have no id, each once, in the order of the text."""
        return "".join(dict.fromkeys(one for one in normal(text) if one not in self._places))

    def ids(self, text: str) -> tuple[int, ...]:
        """Ids of a text, without marks.

        Raises:
            KeyError: A character has no id.
        """
        return tuple(self._places[character] for character in normal(text))

    def text(self, ids: Sequence[int]) -> str:
        """The characters of some ids up to the end mark; other marks are left out."""
        shown = []
        for one in ids:
            if one == END:
                break
            if one >= N_MARKS:
                shown.append(self.characters[one - N_MARKS])
        return "".join(shown)


def normal(text: str) -> str:
    """A text with its characters composed (NFC), so that Hangul typed in parts is Hangul."""
    return unicodedata.normalize("NFC", text)
