"""The last word of a text, and another one in its place."""

from __future__ import annotations

import regex

_LAST = regex.compile(r"([\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’-]*)(?=[^\p{L}\p{M}\p{N}]*$)")
_NUMBER = regex.compile(r"[0-9]+(?=[^0-9]*$)")
_HANGUL = regex.compile(r"\p{Hangul}")
OTHERS = {"ko": ("지금", "나중에"), "en": ("now", "then")}


def with_last_word(text: str, word: str) -> tuple[str, str]:
    """The last word of a text, and the text with another one there; what follows the word stays.

    A text without letters and digits has one word, itself.

    Example:
        >>> with_last_word("The cat sat.", "slept"), with_last_word("2026년 5월 3일", "4일")
        (('sat', 'The cat slept.'), ('3일', '2026년 5월 4일'))
    """
    found = _LAST.search(text)
    if found is None:
        return text, word
    return found[0], text[: found.start()] + word + text[found.end() :]


def other_word(text: str) -> str:
    """A word to put in the place of the last one: another number for a number, else a word of its script.

    Example:
        >>> [other_word(text) for text in ("3 May 2026", "2026년 5월 1일", "서울은", "it is now")]
        ['2025', '2일', '지금', 'then']
    """
    word, _text = with_last_word(text, "")
    if number := _NUMBER.search(word):
        value = int(number[0])
        other = str(value - 1 if value > 1 else value + 1).zfill(len(number[0]))
        return word[: number.start()] + other + word[number.end() :]
    first, second = OTHERS["ko" if _HANGUL.search(word) else "en"]
    return second if word == first else first
