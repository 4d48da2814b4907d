"""Korean particles: which form follows a word is decided by how its last syllable is read."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Final, Literal

Pair = Literal["은/는", "이/가", "을/를", "과/와", "으로/로"]
Ending = Literal["vowel", "consonant", "ㄹ"]

MARK: Final = re.compile(r"\[(은/는|이/가|을/를|과/와|으로/로)\]")
_BRACKETED = re.compile(r"\s*\([^()]*\)$")
_DIGITS: Final[dict[str, Ending]] = {**dict.fromkeys("2459", "vowel"), **dict.fromkeys("178", "ㄹ")}
_LETTERS: Final[dict[str, Ending]] = {
    "L": "ㄹ",
    "R": "ㄹ",
    "M": "consonant",
    "N": "consonant",
}
_ENGLISH: Final[tuple[tuple[Ending, re.Pattern[str]], ...]] = (
    ("ㄹ", re.compile(r"l$|[aeiouy].*le$")),  # capital, apple
    ("consonant", re.compile(r"(ng|n|m)$|[aeiouy].*[nm]e$")),  # king, London, name
    ("consonant", re.compile(r"(^|[^aeiouy])([aeiouy]|oo)(ck|[ptkbc])$")),  # top, cat, book; not part, week
)


def particle(word: str, pair: Pair) -> str:
    """Choose the form of a particle that follows a word.

    What stands in brackets at the end is not read, nor are quotes and marks. Hangul, digits, letters of
    abbreviations and bytes are read one by one (GPT 지피티, 135M 엠, A4 에이사); an English word by its
    spelling, as loan words are (London 런던, name 네임, book 북). What cannot be read, such as signs and
    other scripts, takes the form after a vowel.

    Example:
        >>> [word + particle(word, "은/는") for word in ("서울", "파리", "MiniLM", "A4 (다)")]
        ['서울은', '파리는', 'MiniLM은', 'A4 (다)는']
        >>> [word + particle(word, "으로/로") for word in ("서울", "런던", "파리", "London", "7")]
        ['서울로', '런던으로', '파리로', 'London으로', '7로']
    """
    after_consonant, after_vowel = pair.split("/")
    ending = _ending(word)
    is_vowel = ending == "vowel" or (ending == "ㄹ" and pair == "으로/로")
    return after_vowel if is_vowel else after_consonant


def with_particles(before: str, text: str) -> str:
    """Replace the marks in `text`, such as `[은/는]`, by what follows the word that ends before each.

    Args:
        before: The text before `text`.
        text: With marks.

    Returns:
        `before` and `text` as one.
    """
    parts = MARK.split(text)  # text, pair, text, pair, ..., text
    said = before + parts[0]
    for pair, rest in zip(parts[1::2], parts[2::2], strict=True):
        said += particle(said, pair) + rest  # type: ignore[arg-type]  # what MARK finds is a pair
    return said


def _ending(word: str) -> Ending:
    shown = _without_signs(word.replace("\\", ""))
    while (bare := _without_signs(_BRACKETED.sub("", shown))) not in {"", shown}:
        shown = bare
    shown = _without_signs(shown.rstrip(")"))
    last = shown[-1:]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return "vowel" if final == 0 else "ㄹ" if final == 8 else "consonant"
    if "ㄱ" <= last <= "ㅎ":  # letters by their names: 기역, 니은, 리을
        return "ㄹ" if last == "ㄹ" else "consonant"
    if last and last in string.digits:
        return _DIGITS.get(last, "consonant")  # 영, 삼, 육, and 십, 백, 천, 만
    return _latin(shown)


def _without_signs(text: str) -> str:
    """The text without what is not read at its end; a bracket that closes and a per cent sign stay."""
    end = len(text)
    while end and not (text[end - 1].isalnum() or text[end - 1] in ")%"):
        end -= 1
    return text[:end]


def _latin(text: str) -> Ending:
    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    found = re.search(r"[A-Za-z]+$", plain)
    if found is None:
        return "vowel"
    word = found[0]
    if word[-1].isupper():
        return _LETTERS.get(word[-1], "vowel")
    return next((ending for ending, spelled in _ENGLISH if spelled.search(word.lower())), "vowel")
