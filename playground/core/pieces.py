"""Visible labels of tokens, and the groups of tokens that share a character."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal

import regex

from playground.core.tokens import Tokenization, readable, spans_of_bytes

_MARKS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"}
_HEXADECIMAL = regex.compile("<[0-9A-F]{2}( [0-9A-F]{2})*>")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, formats, lone surrogates, unassigned


@dataclass(frozen=True, slots=True)
class Piece:
    """One token as the reader sees it.

    Attributes:
        label: Visible text; bytes that are not a whole character as hexadecimal, with the characters they
            belong to, `A4 (다)`, or with a sign that they begin one, `EC …`.
        kind: text, bytes (part of a character), special (added by the tokenizer).
        bare: The label without those characters, for a picture that draws them beside it: `A4`.
    """

    label: str
    kind: Literal["text", "bytes", "special"]
    bare: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The label for a narrow place: bytes, and below them the characters they belong to."""
        return (
            (self.bare, self.label.removeprefix(f"{self.bare} ")) if self.kind == "bytes" else (self.label,)
        )


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
    r"""Cut a text into characters as a reader counts them.

    Example:
        >>> [len(character) for character in characters("e\u0301👍🏽각")]
        [2, 2, 1]

    Source:
        Unicode Standard Annex 29, extended grapheme clusters.
    """
    return list(map(str, regex.findall(r"\X", text)))


def pieces(tokenization: Tokenization) -> list[Piece]:
    """Give each token its label, in order; a part of a character has that character in its label.

    Example:
        >>> text = "a안"
        >>> two_halves = ("a", "<EC 95>", "<88>")
        >>> as_bytes = (b"a", b"\\xec\\x95", b"\\x88")
        >>> spans = ((0, 1), (1, 2), (1, 2))
        >>> shown = pieces(Tokenization("m", text, (5, 6, 7), two_halves, as_bytes, spans, (False,) * 3))
        >>> [piece.label for piece in shown]
        ['a', 'EC 95 (안)', '88 (안)']
    """
    return [
        _piece(token, token_bytes, special, tokenization.text, span)
        for token, token_bytes, special, span in zip(
            tokenization.tokens, tokenization.token_bytes, tokenization.special, tokenization.offsets,
            strict=True,
        )
    ]  # fmt: skip


def labels(tokenization: Tokenization) -> tuple[str, ...]:
    """The labels of `pieces` alone."""
    return tuple(piece.label for piece in pieces(tokenization))


def _piece(token: str, token_bytes: bytes, special: bool, text: str, span: tuple[int, int]) -> Piece:
    if special:
        return Piece(token, "special", token)
    try:
        token_bytes.decode()
    except UnicodeDecodeError:
        bare = token_bytes.hex(" ").upper()
        return Piece(f"{bare} ({visible(_whole_characters(text, *span))})", "bytes", bare)
    return Piece(label := visible(token), "text", label)


def _whole_characters(text: str, start: int, stop: int) -> str:
    """The characters, as a reader counts them, of which `text[start:stop]` is a part."""
    starts, ends = spans_of_characters(text)
    return text[starts[start] : ends[stop - 1]]


@lru_cache(maxsize=20_000)
def piece(token: str, before: bytes | None = None) -> Piece:
    """Give a token outside of any text, such as a predicted one, its label.

    Args:
        token: Readable form of the token.
        before: Bytes of a character that the text before it has begun (`open_bytes`); None where no text is
            known.

    Example:
        >>> piece(" London").label, piece("<EC 95>").label, piece("<88>").label, piece("<20 EC>").label
        ('·London', 'EC 95 …', '… 88', '20 EC (·…)')
        >>> piece("<88>", bytes.fromhex("EC 95")).label, piece("<95>", b"\\xec").label
        ('88 (안)', '95 (EC 95 …)')
    """
    own = bytes_of(token)
    try:
        own.decode()
    except UnicodeDecodeError:
        return Piece(_begun(own, before), "bytes", own.hex(" ").upper())
    return Piece(label := visible(token), "text", label)


def _begun(own: bytes, before: bytes | None) -> str:
    """The bytes of a token, and the characters that a reader has read after them."""
    n_inside = 0  # bytes that go on with a character of which nothing is known
    while before is None and n_inside < len(own) and 0x80 <= own[n_inside] <= 0xBF:
        n_inside += 1
    text = (before or b"") + own[n_inside:]
    rest = open_bytes(text)
    whole = visible(text[: len(text) - len(rest)].decode("utf-8", "replace"))
    front, back, shown = "… " if n_inside else "", " …" if rest else "", own.hex(" ").upper()
    if whole:
        return f"{shown} ({front.strip()}{whole}{back.strip()})"
    return f"{shown} ({rest.hex(' ').upper()} …)" if before else f"{front}{shown}{back}"


def open_bytes(text: bytes) -> bytes:
    """The bytes at the end of `text` that begin a character and do not finish it.

    Example:
        >>> open_bytes("a안".encode()[:-1]).hex(" "), open_bytes(b"a"), open_bytes(bytes([0xED, 0xA0]))
        ('ec 95', b'', b'')
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(text)
    rest = decoder.getstate()[0]
    is_half = len(rest) > 1 and rest[0] == 0xED and rest[1] >= 0xA0  # of a pair of UTF-16: never text
    return b"" if is_half else rest


def begun_bytes(parts: Sequence[bytes]) -> list[bytes]:
    """For each of these tokens, the bytes before it that have begun a character.

    Example:
        >>> begun_bytes([b"a", b"\\xec", b"\\x95", b"\\x88", b"b"])
        [b'', b'', b'\\xec', b'\\xec\\x95', b'']
    """
    before, begun = b"", list[bytes]()
    for part in parts:
        begun.append(before)
        before = open_bytes(before + part)
    return begun


def bytes_of(token: str) -> bytes:
    """The bytes of a token, from its readable form.

    Example:
        >>> bytes_of("<EC 95>"), bytes_of(" a")
        (b'\\xec\\x95', b' a')
    """
    return bytes.fromhex(token[1:-1]) if _HEXADECIMAL.fullmatch(token) else token.encode("utf-8", "replace")


def sequence_labels(tokens: Sequence[str]) -> tuple[str, ...]:
    """Labels of tokens that follow one another, from their readable forms; the last may begin a character.

    Example:
        >>> sequence_labels(["a", "<EC 95>", "<88>", "<EB>"])
        ('a', 'EC 95 (안)', '88 (안)', 'EB …')
    """
    parts = [bytes_of(token) for token in tokens]
    joined = b"".join(parts)
    rest = open_bytes(joined)
    text = joined[: len(joined) - len(rest)].decode("utf-8", "replace")
    if text.encode() + rest != joined:  # bytes that are not text: each token after those before it
        return tuple(
            piece(token, before).label for token, before in zip(tokens, begun_bytes(parts), strict=True)
        )
    spans, at, shown_labels = spans_of_bytes(text, _cut_to(parts, len(joined) - len(rest))), 0, list[str]()
    for token, part, span, before in zip(tokens, parts, spans, begun_bytes(parts), strict=True):
        at += len(part)
        is_whole = at <= len(joined) - len(rest)
        shown = _piece(token, part, False, text, span) if is_whole else piece(token, before)
        shown_labels.append(shown.label)
    return tuple(shown_labels)


def _cut_to(parts: Sequence[bytes], size: int) -> list[bytes]:
    """The parts as far as they lie within the first `size` bytes."""
    starts = accumulate(map(len, parts), initial=0)
    return [part[: max(0, size - start)] for part, start in zip(parts, starts, strict=False)]


def token_label(token_bytes: bytes) -> str:
    """The label of a token of which only the bytes are known.

    Example:
        >>> token_label(b" a"), token_label("안".encode()[:2])
        ('·a', 'EC 95 …')
    """
    return piece(readable(token_bytes)).label


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
    shared: list[Group] = []
    start = reach = -1  # first token of the run, last character its tokens reach
    for position, (begin, end) in enumerate([*tokenization.offsets, (-1, -1)]):
        if start >= 0 and begin < end and cluster_starts[begin] < reach:
            reach = max(reach, cluster_ends[end - 1])
            continue
        if start >= 0 and position - start > 1:
            first = cluster_starts[tokenization.offsets[start][0]]
            shared.append(Group(start, position, visible(tokenization.text[first:reach])))
        start = position if begin < end else -1
        reach = cluster_ends[end - 1] if begin < end else -1
    return shared


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
