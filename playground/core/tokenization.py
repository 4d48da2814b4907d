"""Tokenizers side by side, units of different size, and the cost of a language in tokens."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from playground.core import bpe, pieces
from playground.core.canonical import canonical
from playground.core.tokens import Tokenization

Granularity = Literal["jamo", "syllable", "subword", "word"]
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
N_SUBWORD_MERGES = 1_000
_HANGUL = range(0xAC00, 0xD7A4)
_N_VOWELS, _N_FINALS = 21, 28
# Vowel -> the one easily typed for it: ㅏ-ㅑ ㅐ-ㅔ ㅒ-ㅖ ㅓ-ㅗ ㅕ-ㅛ ㅜ-ㅠ ㅘ-ㅝ ㅙ-ㅞ ㅚ-ㅟ ㅡ-ㅢ ㅣ-ㅡ
_OTHER_VOWEL = (2, 5, 0, 7, 8, 1, 12, 3, 4, 14, 15, 16, 6, 17, 9, 10, 11, 13, 19, 18, 18)


# ---------------------------------------------------------------- side by side


@dataclass(frozen=True, slots=True)
class Cell:
    """Characters that one token, or several tokens that share them, stand for.

    Attributes:
        start, stop: Characters `start <= i < stop` of the text, as a reader counts them; equal for a token
            that stands for none.
        first, last: The tokens `first <= position < last`.
    """

    start: int
    stop: int
    first: int
    last: int


def cells(tokenization: Tokenization) -> list[Cell]:
    """Cut the text where the tokenizer cuts between characters.

    Example:
        >>> halves = Tokenization("m", "a안", (5, 6, 7), ("a", "<EC 95>", "<88>"),
        ...     (b"a", b"\\xec\\x95", b"\\x88"), ((0, 1), (1, 2), (1, 2)), (False,) * 3)
        >>> cells(halves)
        [Cell(start=0, stop=1, first=0, last=1), Cell(start=1, stop=2, first=1, last=3)]
    """
    starts = _character_of(tokenization.text)
    runs = {group.start: group.stop for group in pieces.groups(tokenization)}
    result: list[Cell] = []
    first = 0
    while first < len(tokenization):
        last = runs.get(first, first + 1)
        spans = tokenization.offsets[first:last]
        begin, end = min(span[0] for span in spans), max(span[1] for span in spans)
        start = starts[begin] if begin < end else _place(starts, begin)
        result.append(Cell(start, starts[end - 1] + 1 if begin < end else start, first, last))
        first = last
    return result


def common_cuts(rows: Sequence[Sequence[Cell]], n_characters: int) -> list[int]:
    """Boundaries between characters that no cell of any row reaches across; lines may break there.

    Example:
        >>> common_cuts([[Cell(0, 2, 0, 1), Cell(2, 3, 1, 2)], [Cell(0, 1, 0, 1)]], 3)
        [0, 2, 3]
    """
    inside = {i for row in rows for cell in row for i in range(cell.start + 1, cell.stop)}
    return [i for i in range(n_characters + 1) if i not in inside]


@lru_cache(maxsize=32)  # the same text under several tokenizers
def _character_of(text: str) -> list[int]:
    """For each code point the number of its character."""
    return [number for number, char in enumerate(pieces.characters(text)) for _ in char]


def _place(starts: list[int], at: int) -> int:
    return starts[at] if at < len(starts) else (starts[-1] + 1 if starts else 0)


# ---------------------------------------------------------------- the granularity ladder


@dataclass(frozen=True, slots=True)
class Typo:
    """A text and the same text with one letter wrong.

    Attributes:
        text: The text with the typo.
        word, wrong: The word that has it, before and after.
    """

    text: str
    word: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One unit size, with its vocabulary, its length and its losses.

    Attributes:
        granularity: The unit.
        d_vocab: Different units in the reference text, which is the vocabulary.
        n_units: Length of the reader's text in units.
        n_unknown: Units of the text that the vocabulary lacks.
        n_lost: Units of the text that the vocabulary has and that are gone after the typo.
        n_unknown_after: Unknown units of the text with the typo.
    """

    granularity: Granularity
    d_vocab: int
    n_units: int
    n_unknown: int
    n_lost: int
    n_unknown_after: int


def ladder(text: str, reference: str) -> tuple[Rung, ...]:
    """Measure the reader's text in units of four sizes, with vocabularies learned from a reference text.

    Units are compared, so both texts are measured in their canonical form.

    Args:
        text: The reader's text.
        reference: Text whose units are the vocabulary; for subwords, byte pair encoding is trained on it.
    """
    text, reference = canonical(text), canonical(reference)
    wrong = typo(text, reference)
    after = text if wrong is None else wrong.text
    rungs = []
    for granularity in GRANULARITIES:
        before, now = (units(each, granularity, reference) for each in (text, after))
        vocab = _vocabulary(reference, granularity)
        known = None if granularity == "subword" else vocab  # bytes: every text can be written
        rungs.append(
            Rung(
                granularity,
                len(vocab),
                len(before),
                0 if known is None else sum(unit not in known for unit in before),
                (Counter(unit for unit in before if unit in vocab) - Counter(now)).total(),
                0 if known is None else sum(unit not in known for unit in now),
            )
        )
    return tuple(rungs)


def units(text: str, granularity: Granularity, reference: str = "") -> list[str]:
    """Cut `text` into units; spaces separate and are not units, but subwords carry them.

    Subwords are bytes, written here as the characters U+0000 to U+00FF.

    Example:
        >>> units("여행 가", "jamo"), units("여행 가", "syllable"), units("여행 가", "word")
        (['ᄋ', 'ᅧ', 'ᄒ', 'ᅢ', 'ᆼ', 'ᄀ', 'ᅡ'], ['여', '행', '가'], ['여행', '가'])
    """
    if granularity == "word":
        return text.split()
    if granularity == "subword":
        trained = subwords(reference)
        return [trained.vocab[token_id].decode("latin-1") for token_id in trained.encode(text)]
    if granularity == "jamo":
        text = unicodedata.normalize("NFD", text)
        return [char for char in text if not char.isspace()]
    return [char for char in pieces.characters(text) if not char.isspace()]


@lru_cache(maxsize=8)
def subwords(reference: str) -> bpe.BytePairEncoding:
    """The byte pair encoding of the subword rung."""
    return bpe.train(reference, N_SUBWORD_MERGES)


@lru_cache(maxsize=32)
def _vocabulary(reference: str, granularity: Granularity) -> frozenset[str]:
    if granularity == "subword":
        return frozenset(token.decode("latin-1") for token in subwords(reference).vocab)
    return frozenset(units(reference, granularity))


def typo(text: str, reference: str = "") -> Typo | None:
    """Make one typing error: a neighbouring vowel in Hangul, else two letters swapped.

    Args:
        text: The reader's text.
        reference: The longest word that stands in it too is mistyped, otherwise the longest of all: a
            vocabulary that did not have the word before loses nothing with it.

    Returns:
        None when no word can be mistyped so that it changes.

    Example:
        >>> typo("a strange word")
        Typo(text='a strnage word', word='strange', wrong='strnage')
        >>> typo("파리 여행을")
        Typo(text='파리 여헹을', word='여행을', wrong='여헹을')
        >>> typo("a strange word", "a word")
        Typo(text='a strange wrod', word='word', wrong='wrod')
    """
    text, known_words = canonical(text), _vocabulary(canonical(reference), "word")
    words = list(re.finditer(r"\S+", text))
    for word in sorted(words, key=lambda word: (word[0] not in known_words, -len(word[0]))):
        right, wrong = word[0], _mistyped(word[0])
        if wrong != right:
            return Typo(text[: word.start()] + wrong + text[word.end() :], right, wrong)
    return None


def _mistyped(word: str) -> str:
    middle = len(word) // 2
    if ord(word[middle]) in _HANGUL:
        return word[:middle] + _other_vowel(word[middle]) + word[middle + 1 :]
    for at in sorted(range(len(word) - 1), key=lambda i: abs(2 * i + 1 - len(word))):
        left, right = word[at], word[at + 1]
        if left.isalpha() and right.isalpha() and left != right:
            return word[:at] + right + left + word[at + 2 :]
    return word


def _other_vowel(syllable: str) -> str:
    """The syllable with the vowel that is easily typed instead of its own.

    Source:
        The Unicode Standard, section 3.12: a syllable is 0xAC00 + (initial * 21 + vowel) * 28 + final.
    """
    rest, final = divmod(ord(syllable) - _HANGUL.start, _N_FINALS)
    initial, vowel = divmod(rest, _N_VOWELS)
    return chr(_HANGUL.start + (initial * _N_VOWELS + _OTHER_VOWEL[vowel]) * _N_FINALS + final)


def is_hangul(text: str) -> bool:
    """True if most letters of the text are Hangul."""
    letters = [char for char in canonical(text) if char.isalpha()]
    return 2 * sum(ord(char) in _HANGUL for char in letters) > len(letters)


# ---------------------------------------------------------------- a goal of the page


def is_word_that_needs_its_space(text: str, with_space: int, without: int) -> bool:
    """True if `text` is a word of 8 letters or more, one token after a space and 3 or more without."""
    return len(text) >= 8 and text.isalpha() and with_space == 1 and without >= 3
