"""Tokenization: one text cut into tokens, with the bytes and the characters each token covers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenization:
    """One text as one model reads it.

    Attributes:
        model_id: Name of the tokenizer's model.
        text: The text as given.
        input_ids: Token ids.
        tokens: Readable form of each token; bytes that are not a whole character as `<EC 95>`.
        token_bytes: The UTF-8 bytes each token stands for. Joined they are the text's, unless the tokenizer
            changes the text: WordPiece drops spaces and case. Added special tokens have no bytes (b"").
        offsets: (start, end) characters of `text` that the bytes of each token are, or were made of where the
            tokenizer changes the text; a character cut into several tokens is covered by each; (n, n) for
            special tokens the tokenizer added.
        special: True for a token that the tokenizer added ([CLS]) instead of finding it in the text.
    """

    model_id: str
    text: str
    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    token_bytes: tuple[bytes, ...]
    offsets: tuple[tuple[int, int], ...]
    special: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True, slots=True)
class TokenizerInfo:
    """Facts about a tokenizer.

    Attributes:
        tokenizer_id: Name for `Engine.tokenizers`: tiktoken's, `unigram`, or a model's catalogue id.
        name: Short name for the reader.
        algorithm: byte-level BPE, BPE, WordPiece or Unigram.
        d_vocab: Number of token ids.
        source: Author and version, for the provenance line.
        special_ids: Token ids that are marks of the format ([CLS], <|im_start|>), not text.
        start_id: The token that stood before a text in training; None where it is not known.
        mask_id: The token that stands for one the model cannot see; None where there is none.
        folder: Folder of a tokenizer that was trained on this machine; "" for the others.
    """

    tokenizer_id: str
    name: str
    algorithm: str
    d_vocab: int
    source: str
    special_ids: frozenset[int]
    start_id: int | None = None
    mask_id: int | None = None
    folder: str = ""


def join(parts: Sequence[Tokenization]) -> Tokenization:
    """Put the tokens of neighbouring texts one after another, as one text."""
    text = ""
    offsets: list[tuple[int, int]] = []
    for part in parts:
        offsets += [(len(text) + start, len(text) + end) for start, end in part.offsets]
        text += part.text
    return Tokenization(
        model_id=parts[0].model_id,
        text=text,
        input_ids=tuple(i for part in parts for i in part.input_ids),
        tokens=tuple(token for part in parts for token in part.tokens),
        token_bytes=tuple(piece for part in parts for piece in part.token_bytes),
        offsets=tuple(offsets),
        special=tuple(flag for part in parts for flag in part.special),
    )


def well_formed(text: str) -> str:
    r"""Put the two halves of a surrogate pair together; a lone half, which no encoding can write, is U+FFFD.

    Example:
        >>> well_formed("\ud83d\udc4d"), well_formed("a\ud83d").encode("unicode_escape")
        ('👍', b'a\\ufffd')
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def spans_of_bytes(text: str, token_bytes: Sequence[bytes]) -> tuple[tuple[int, int], ...]:
    """Characters that the bytes of each token touch, for tokens whose bytes joined are the text's.

    Example:
        >>> spans_of_bytes("a안", [b"a", "안".encode()[:2], "안".encode()[2:]])
        ((0, 1), (1, 2), (1, 2))
    """
    char_of_byte = [i for i, char in enumerate(text) for _ in range(len(char.encode()))]
    offsets: list[tuple[int, int]] = []
    at = position = 0
    for piece in token_bytes:
        if piece:
            start, position = char_of_byte[at], char_of_byte[at + len(piece) - 1] + 1
            offsets.append((start, position))
            at += len(piece)
        else:
            offsets.append((position, position))
    return tuple(offsets)


class ReadCharacter(NamedTuple):
    """A character as a tokenizer reads it, after its normaliser.

    Attributes:
        text: The character.
        start, stop: The characters `start <= i < stop` of the text that it was made of.
    """

    text: str
    start: int
    stop: int


def spans_of_read(
    read: Sequence[ReadCharacter],
    token_bytes: Sequence[bytes],
    known: Sequence[tuple[int, int] | None],
    *,
    dropped: Collection[int] = (),
    folds_spaces: bool = False,
) -> tuple[tuple[int, int], ...] | None:
    """Characters of the text that the bytes of each token come from, where a normaliser changed the text.

    Args:
        read: The characters of the text after the normaliser.
        token_bytes: Bytes of each token.
        known: The span of a token whose bytes are not those that were read; None for all others.
        dropped: Bytes that the tokenizer leaves out.
        folds_spaces: True if white space may be left out, and any of it be " " in a token.

    Returns:
        As `spans_of_bytes`; None where the tokens are not what was read.

    Example:
        >>> read = [ReadCharacter("f", 0, 1), ReadCharacter("i", 0, 1), ReadCharacter("é", 1, 3)]
        >>> halves = [b"f", "ié".encode()[:2], "é".encode()[1:]]
        >>> spans_of_read(read, halves, [None] * 3)
        ((0, 1), (0, 3), (1, 3))
    """
    units = [(byte, char) for char in read for byte in char.text.encode()]
    at = position = 0
    spans: list[tuple[int, int]] = []
    for piece, span in zip(token_bytes, known, strict=True):
        if span is not None:
            spans.append(span)
            position = max(position, span[1])
            while at < len(units) and units[at][1].start < position:
                at += 1
            continue
        start = position
        for index, wanted in enumerate(piece):
            match = _next_unit(units, at, wanted, dropped, folds_spaces)
            if match is None:
                return None
            at, char = match
            start, position = char.start if index == 0 else start, max(position, char.stop)
        spans.append((start, position))
    return tuple(spans)


def _next_unit(
    units: Sequence[tuple[int, ReadCharacter]], at: int, wanted: int, dropped: Collection[int], folds: bool
) -> tuple[int, ReadCharacter] | None:
    """The index after the unit that is the wanted byte, and its character; None if another one is first."""
    for index in range(at, len(units)):
        byte, char = units[index]
        if byte == wanted:
            return index + 1, char
        is_space = folds and char.text.isspace()
        if is_space and wanted == ord(" "):
            return next((i for i in range(index, len(units)) if units[i][1] is not char), len(units)), char
        if not is_space and byte not in dropped:
            return None
    return None


def readable(token_bytes: bytes) -> str:
    r"""Show the bytes of a token: whole characters as they are, the rest as hexadecimal.

    Example:
        >>> readable(" London".encode())
        ' London'
        >>> readable("안".encode()[:2])
        '<EC 95>'
    """
    try:
        return token_bytes.decode()
    except UnicodeDecodeError:
        return "<" + token_bytes.hex(" ").upper() + ">"
