"""How tokens are shown: a visible label for each, and which tokens share a character."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

from playground.core.tokens import Tokenization, readable

_MARKS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"}
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, formats, lone surrogates, unassigned


@dataclass(frozen=True, slots=True)
class Piece:
    """One token as the reader sees it.

    Attributes:
        label: Visible text, or hexadecimal for bytes that are no whole character.
        kind: text, bytes (part of a character), special (added by the tokenizer).
    """

    label: str
    kind: Literal["text", "bytes", "special"]


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring tokens that share characters.

    Attributes:
        start, stop: The tokens `start <= position < stop`.
        text: Visible form of the characters they cover together.
    """

    start: int
    stop: int
    text: str


@lru_cache(maxsize=20_000)  # tokens of a vocabulary come again and again
def visible(text: str) -> str:
    r"""Make every character of `text` visible, whole characters as they are.

    Example:
        >>> visible(" a\n"), visible("\u200b"), len(visible("\u0301"))
        ('·a⏎', 'U+200B', 2)
    """
    return "".join(_visible_character(cluster) for cluster in characters(text))


def _visible_character(cluster: str) -> str:
    first = cluster[0]
    if first in _MARKS:
        return "".join(_MARKS.get(char, char) for char in cluster)
    if len(cluster) == 1 and unicodedata.category(first) in _UNSEEN:
        return f"U+{ord(first):04X}"
    return "◌" + cluster if unicodedata.category(first).startswith("M") else cluster


def characters(text: str) -> list[str]:
    r"""Cut a text into what a reader calls characters.

    Example:
        >>> [len(character) for character in characters("e\u0301👍🏽각")]
        [2, 2, 1]

    Source:
        Unicode Standard Annex 29, extended grapheme clusters.
    """
    return list(map(str, regex.findall(r"\X", text)))


def pieces(tokenization: Tokenization) -> list[Piece]:
    """Give each token its label, in order."""
    return [
        _piece(token, token_bytes, special)
        for token, token_bytes, special in zip(
            tokenization.tokens, tokenization.token_bytes, tokenization.special, strict=True
        )
    ]


def labels(tokenization: Tokenization) -> tuple[str, ...]:
    """Give each token one line that says all: bytes of a part of a character after that character.

    Example:
        >>> text = "a안"
        >>> two_halves = ("a", "<EC 95>", "<88>")
        >>> as_bytes = (b"a", b"\\xec\\x95", b"\\x88")
        >>> spans = ((0, 1), (1, 2), (1, 2))
        >>> labels(Tokenization("m", text, (5, 6, 7), two_halves, as_bytes, spans, (False,) * 3))
        ('a', '안 EC 95', '안 88')
    """
    read = pieces(tokenization)
    found = [one.label for one in read]
    for group in groups(tokenization):
        for place in range(group.start, group.stop):
            if read[place].kind == "bytes":
                found[place] = f"{group.text} {found[place]}"
    return tuple(found)


@lru_cache(maxsize=20_000)
def piece(token: str) -> Piece:
    """Give a token that stands alone (a predicted one) its label, from its readable form.

    Example:
        >>> piece(" London"), piece("<EC 95>")
        (Piece(label='·London', kind='text'), Piece(label='EC 95', kind='bytes'))
    """
    if regex.fullmatch(r"<[0-9A-F]{2}( [0-9A-F]{2})*>", token):
        return Piece(token[1:-1], "bytes")
    return Piece(visible(token), "text")


def token_label(token_bytes: bytes) -> str:
    """How a token is shown of which only the bytes are known.

    Example:
        >>> token_label(b" a"), token_label("안".encode()[:2])
        ('·a', 'EC 95')
    """
    return piece(readable(token_bytes)).label


def _piece(token: str, token_bytes: bytes, special: bool) -> Piece:
    if special:
        return Piece(token, "special")
    try:
        token_bytes.decode()
    except UnicodeDecodeError:
        return Piece(token_bytes.hex(" ").upper(), "bytes")
    return Piece(visible(token), "text")


def groups(tokenization: Tokenization) -> list[Group]:
    """Find the runs of two or more tokens that share a character.

    Example:
        >>> text = "a안"
        >>> two_halves = ("a", "<EC 95>", "<88>")
        >>> as_bytes = (b"a", b"\\xec\\x95", b"\\x88")
        >>> spans = ((0, 1), (1, 2), (1, 2))
        >>> groups(Tokenization("m", text, (5, 6, 7), two_halves, as_bytes, spans, (False,) * 3))
        [Group(start=1, stop=3, text='안')]
    """
    cluster_starts, cluster_ends = spans_of_characters(tokenization.text)
    found: list[Group] = []
    start = reach = -1  # first token of the run, last character its tokens reach
    for position, (begin, end) in enumerate([*tokenization.offsets, (-1, -1)]):
        if start >= 0 and begin < end and cluster_starts[begin] < reach:
            reach = max(reach, cluster_ends[end - 1])
            continue
        if start >= 0 and position - start > 1:
            first = cluster_starts[tokenization.offsets[start][0]]
            found.append(Group(start, position, visible(tokenization.text[first:reach])))
        start = position if begin < end else -1
        reach = cluster_ends[end - 1] if begin < end else -1
    return found


@lru_cache(maxsize=32)  # the same text under several tokenizers
def spans_of_characters(text: str) -> tuple[list[int], list[int]]:
    """For each code point of `text`: where its character, one as a reader counts them, starts and ends."""
    starts: list[int] = []
    ends: list[int] = []
    for cluster in characters(text):
        begin = len(starts)
        starts.extend([begin] * len(cluster))
        ends.extend([begin + len(cluster)] * len(cluster))
    return starts, ends
