"""The canonical form of texts: used wherever texts are compared, and nowhere else.

"한" is one code point or three, "é" one or two; a file name or a text from macOS may hold either. They look
alike and mean the same, so labels, repeated rows, known words and answers are compared in one form. What a
tokenizer reads stays as typed: it tells them apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise

import regex

# Combining marks one after another; three signs of Tibetan count as starters but are taken apart into marks.
# No script puts 30 on one letter, and putting n in order takes n² steps.
_MARKS = regex.compile(r"[\P{ccc=0}\u0f73\u0f75\u0f81]{30}")


def canonical(text: str) -> str:
    r"""The form in which a text is compared: composed (NFC), in time that grows as the text does.

    Where more than 30 combining marks stand together, each 30 are put in order by themselves.

    Example:
        >>> canonical("\u1112\u1161\u11ab") == canonical("한") == "한"
        True

    Source:
        Unicode Standard Annex 15, "Unicode Normalization Forms": canonical equivalence; its Stream-Safe Text
        Format allows 30 marks.
    """
    ends = [marks.end() for marks in _MARKS.finditer(text)]
    return "".join(
        unicodedata.normalize("NFC", text[start:end]) for start, end in pairwise([0, *ends, len(text)])
    )


def is_same(first: str, second: str) -> bool:
    """True if two texts are canonically equal."""
    return canonical(first) == canonical(second)


def distinct(texts: Iterable[str]) -> list[str]:
    r"""Each text once, as it is first written, in order.

    Example:
        >>> distinct(["é", "a", "e\u0301", "a"])
        ['é', 'a']
    """
    first_written: dict[str, str] = {}
    for text in texts:
        first_written.setdefault(canonical(text), text)
    return list(first_written.values())
