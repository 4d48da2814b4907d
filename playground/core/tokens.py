"""Tokenization: one text cut into tokens, with the bytes and the characters each token covers."""

from __future__ import annotations

from dataclasses import dataclass


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
