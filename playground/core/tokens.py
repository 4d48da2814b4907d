"""Tokenization: one text cut into tokens, with the bytes and the characters each token covers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenization:
    """One text as one model reads it.

    Attributes:
        model_id: Whose tokenizer.
        text: The text as given.
        input_ids: Token ids.
        tokens: Readable form of each token; bytes that are no whole character as `<EC 95>`.
        token_bytes: The UTF-8 bytes each token stands for. Joined they are the text's bytes for byte-level
            tokenizers; WordPiece drops spaces and case, and special tokens stand for no byte (b"").
        offsets: (start, end) characters of `text` each token covers; a character cut into several tokens is
            covered by each; (n, n) for special tokens the tokenizer added.
        special: Whether the tokenizer added the token ([CLS]) instead of finding it in the text.
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
    """What is known of a tokenizer.

    Attributes:
        tokenizer_id: Its name for `Engine.tokenizers`: tiktoken's, `unigram`, or a model's catalogue id.
        name: Short name for the reader.
        algorithm: byte-level BPE, BPE, WordPiece or Unigram.
        d_vocab: Number of token ids.
        source: Who wrote it and which version, for the provenance line.
        special_ids: Token ids that are marks of the format ([CLS], <|im_start|>), not text.
    """

    tokenizer_id: str
    name: str
    algorithm: str
    d_vocab: int
    source: str
    special_ids: frozenset[int]


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
