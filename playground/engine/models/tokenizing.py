"""Text to tokens and back, with the exact bytes and characters of every token."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Encoding, PreTokenizedString, Regex, Tokenizer

from playground.core.pieces import spans_of_characters
from playground.core.tokens import (
    ReadCharacter,
    Tokenization,
    readable,
    spans_of_bytes,
    spans_of_read,
    well_formed,
)
from playground.engine.models import marks
from playground.engine.models.tokenizer_files import backend_of, scheme_of

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_ANY_CHARACTER = Regex("(?m:.)")
_METASPACE = "▁"

Span = tuple[int, int]


class TextTokenizer:
    """One model's tokenizer. Immutable after its making, so any thread may use it.

    It works on its own `tokenizers` object: the one inside the transformers tokenizer is reconfigured by
    every call with other arguments, for all threads, and two threads that do so can wait for each other for
    ever (tokenizers 0.23: a lock is waited for with Python's own lock held). Text a reader types never
    becomes a special token: `<|im_start|>` is read letter by letter.

    A byte-level tokenizer normally knows all 256 bytes. SmolLM2's knows 235: six control characters and the
    first bytes of planes 4 to 11, where Unicode has no characters, are dropped silently, as by transformers.
    A text of such characters alone has no tokens.

    Args:
        model_id: Catalogue id, kept in every result.
        folder: Holds `tokenizer.json` and the configs.
    """

    def __init__(self, model_id: str, folder: Path) -> None:
        self.model_id = model_id
        self._folder = folder
        text = (folder / "tokenizer.json").read_text("utf-8")
        self.size_bytes = 40 * len(text.encode())  # of memory: e5 39 times its file, SmolLM2 31, MiniLM 27
        spec = json.loads(text)
        self._added = {int(token["id"]): str(token["content"]) for token in spec["added_tokens"]}
        self._special = frozenset(int(token["id"]) for token in spec["added_tokens"] if token["special"])
        self._scheme = scheme_of(spec)
        self._prefix = str(spec["model"].get("continuing_subword_prefix") or "")
        self._backend = backend_of(text, spec)
        self.eos_ids = marks.end_ids(folder, self._added)
        self.start_id = marks.start_id(folder, self._added)
        self.mask_id = marks.mask_id(folder, self._added)

    @cached_property
    def tokenizer(self) -> Any:  # noqa: ANN401  (transformers is untyped)
        """The transformers tokenizer of the same folder, for chat templates; made on first use."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False, local_files_only=True)

    @cached_property
    def _special_reader(self) -> Tokenizer:
        """A tokenizer that finds its special tokens in the text."""
        reader = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        reader.no_truncation()
        reader.no_padding()
        return reader

    @cached_property
    def _mask_reader(self) -> Tokenizer:
        """A tokenizer that finds masks in the text, and no other special token."""
        spec = json.loads((self._folder / "tokenizer.json").read_text("utf-8"))
        marks.let_masks_be_found(spec, self.mask_id)
        return backend_of(json.dumps(spec), spec)

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids of the tokens that are marks of the format, not text."""
        return self._special

    def spells_mark(self, text: str) -> bool:
        """True if the text spells a special token."""
        return any(self._added[token_id] in text for token_id in self._special)

    @property
    def algorithm(self) -> str:
        """Algorithm that cuts words: byte-level BPE, BPE, WordPiece or Unigram."""
        kind = type(self._backend.model).__name__
        return "byte-level BPE" if kind == "BPE" and self._scheme == "bytes" else kind

    @property
    def d_vocab(self) -> int:
        """Number of token ids the tokenizer knows."""
        return int(self._backend.get_vocab_size())

    @property
    def adds_first_space(self) -> bool:
        """True if the first word of a text stands in its tokens with a space that the text has not."""
        return self._scheme == "metaspace" and self._adds_space("a")

    def tokenize(
        self, text: str, add_special_tokens: bool = True, *, read_special: bool = False
    ) -> Tokenization:
        """Cut `text` as the model does.

        Args:
            text: Anything; the result's `text` is `well_formed`.
            add_special_tokens: True adds the model's frame ([CLS] ... [SEP], `</s>`).
            read_special: True reads `<|im_start|>` in the text as the special token of that name.
        """
        return self._cut(self._special_reader if read_special else self._backend, text, add_special_tokens)

    def tokenize_masked(self, text: str) -> Tokenization:
        """Cut `text`, framed, with the masks that it spells."""
        return self._cut(self._mask_reader, text, add_special_tokens=True)

    def _cut(self, backend: Tokenizer, text: str, add_special_tokens: bool) -> Tokenization:
        text = well_formed(text)
        encoding = backend.encode(text, add_special_tokens=add_special_tokens)
        ids = tuple(encoding.ids)
        special = tuple(bool(flag) for flag in encoding.special_tokens_mask)
        known = self._spans_of_unknown(encoding, text, special)
        token_bytes = self._bytes_in_text(encoding, text, special, known)
        offsets = self._offsets(encoding, text, token_bytes, known)
        return Tokenization(self.model_id, text, ids, self.token_texts(ids), token_bytes, offsets, special)

    def encode(self, text: str, add_special_tokens: bool = True) -> tuple[int, ...]:
        """The token ids alone; the same as `tokenize(...).input_ids`."""
        return tuple(self._backend.encode(well_formed(text), add_special_tokens=add_special_tokens).ids)

    @property
    def joins_pairs(self) -> bool:
        """True if the tokenizer has a form of its own for two texts that are read together."""
        added: Any = self._backend.num_special_tokens_to_add
        return bool(added(is_pair=True) > added(is_pair=False))

    def encode_pair(self, first: str, second: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of two texts joined as the tokenizer joins a pair, and the number of each token's part.

        Where it has no form for pairs: of one text with a line break between them, all of part 0.
        """
        first, second = well_formed(first), well_formed(second)
        if not self.joins_pairs:
            ids = self.encode(f"{first}\n{second}")
            return ids, (0,) * len(ids)
        encoding = self._backend.encode(first, second)
        return tuple(encoding.ids), tuple(encoding.type_ids)

    def beginning(self, text: str, max_tokens: int) -> tuple[int, ...]:
        """The token ids of as much of the text as fits, between the marks that frame it.

        The same as `truncation=True, max_length=max_tokens` of transformers.

        Args:
            text: Anything.
            max_tokens: Most tokens, special ones included; at least as many as there are of those.
        """
        encoding = self._backend.encode(well_formed(text))
        ids = tuple(encoding.ids)
        if len(ids) <= max_tokens:
            return ids
        n_tail = next(n for n, mark in enumerate(reversed(encoding.special_tokens_mask)) if not mark)
        return (*ids[: max_tokens - n_tail], *ids[len(ids) - n_tail :])

    def token_bytes(self, token_id: int) -> bytes:
        """The UTF-8 bytes the token adds to a text: b"" for special tokens and ids without a token."""
        if token_id in self._added:
            return b"" if token_id in self._special else self._added[token_id].encode()
        token = self._backend.id_to_token(token_id)
        if token is None:
            return b""
        if self._scheme == "bytes":
            return _bytes_of_alphabet(token)
        if self._scheme == "wordpiece":
            return str(token).removeprefix(self._prefix).encode()
        if match := _BYTE_TOKEN.fullmatch(token):
            return bytes([int(match[1], 16)])
        return str(token).replace(_METASPACE, " ").encode()

    def token_texts(self, token_ids: Iterable[int]) -> tuple[str, ...]:
        """Readable form of each token: its characters, `<EC 95>` for part of one, `##ing`, `[CLS]`."""
        return tuple(self._text(int(token_id)) for token_id in token_ids)

    def _text(self, token_id: int) -> str:
        if token_id in self._added:
            return self._added[token_id]
        token = self._backend.id_to_token(token_id)
        if token is None:
            return f"<{token_id}>"
        return str(token) if self._scheme == "wordpiece" else readable(self.token_bytes(token_id))

    def _spans_of_unknown(
        self, encoding: Encoding, text: str, special: tuple[bool, ...]
    ) -> list[Span | None]:
        """Characters that a token is read for if they are not its own (an unknown piece); otherwise None."""
        found: list[Span | None] = [None] * len(special)
        ids, spans, following = encoding.ids, encoding.offsets, len(text)
        for place in reversed(range(len(special))):
            if special[place]:
                continue
            token_id, (start, end) = ids[place], spans[place]
            if token_id in self._special or self._is_name_of_byte(token_id, text[start:end]):
                # With the marks of its last letter, which the library leaves out.
                whole = spans_of_characters(text)[1][end - 1] if end else end
                found[place] = (start, max(end, min(following, whole)))
            following = start
        return found

    def _bytes_in_text(
        self, encoding: Encoding, text: str, special: tuple[bool, ...], known: Sequence[Span | None]
    ) -> tuple[bytes, ...]:
        """Like `token_bytes`, but a token of `_spans_of_unknown` is those characters."""
        found: list[bytes] = []
        for token_id, span, added in zip(encoding.ids, known, special, strict=True):
            if span is not None:
                found.append(text[slice(*span)].encode())
            else:
                found.append(b"" if added else self.token_bytes(token_id))
        if self._scheme == "metaspace" and self._adds_space(text):
            first = next((i for i, piece in enumerate(found) if piece), None)
            if first is not None:  # the space these tokenizers put before the first word
                found[first] = found[first].removeprefix(b" ")
        return tuple(found)

    def _is_name_of_byte(self, token_id: int, text: str) -> bool:
        """True if the text spells `<0x0A>`: Unigram takes it for that byte's piece."""
        is_name = self._scheme == "metaspace" and _BYTE_TOKEN.fullmatch(text) is not None
        return is_name and str(self._backend.id_to_token(token_id)) == text

    def _adds_space(self, text: str) -> bool:
        """True if a space is put before this text: by some normalisers always, by others if it has none."""
        normalizer = self._backend.normalizer
        if normalizer is None:
            return not text.startswith((" ", _METASPACE))
        always = len(normalizer.normalize_str(" ")) > 1
        return always or not normalizer.normalize_str(text).startswith((" ", _METASPACE))

    def _offsets(
        self,
        encoding: Encoding,
        text: str,
        token_bytes: tuple[bytes, ...],
        known: Sequence[Span | None],
    ) -> tuple[Span, ...]:
        if b"".join(token_bytes) == text.encode():
            return spans_of_bytes(text, token_bytes)
        folds = self._scheme != "bytes"
        spans = spans_of_read(self._read(text), token_bytes, known, dropped=self._dropped, folds_spaces=folds)
        if spans is not None:
            return spans
        position = 0
        offsets: list[Span] = []
        for span, piece, unknown in zip(encoding.offsets, token_bytes, known, strict=True):
            offsets.append((unknown or span) if piece else (position, position))
            position = offsets[-1][1]
        return tuple(offsets)

    def _read(self, text: str) -> list[ReadCharacter]:
        """The text after the normaliser, with spaces for what stands for them.

        Of a letter that was composed, taken apart or ordered anew the library notes only some code points:
        what is read of a changed character, as a reader counts them, is of the whole character.
        """
        read = PreTokenizedString(text)
        normalizer = self._backend.normalizer
        if normalizer is not None:
            read.normalize(normalizer.normalize)
        read.split(lambda _place, part: part.split(_ANY_CHARACTER, "isolated"))
        starts, ends = spans_of_characters(text)
        found: dict[int, list[tuple[str, Span]]] = {}  # where a character starts -> what is read of it
        for char, (start, stop), _tokens in read.get_splits("original", "char"):
            found.setdefault(starts[start], []).append((char, (start, stop)))
        characters: list[ReadCharacter] = []
        for first, each in found.items():
            is_as_typed = "".join(char for char, _span in each) == text[first : ends[first]]
            for char, (start, stop) in each:
                is_space = self._scheme == "metaspace" and char == _METASPACE
                span = (start, stop) if is_as_typed else (first, ends[stop - 1])
                characters.append(ReadCharacter(" " if is_space else char, *span))
        return characters

    @cached_property
    def _dropped(self) -> frozenset[int]:
        """Bytes that a byte-level tokenizer has no token for."""
        if self._scheme != "bytes":
            return frozenset()
        tokens = {byte: self._backend.token_to_id(letter) for letter, byte in _ALPHABET.items()}
        return frozenset(byte for byte, token_id in tokens.items() if token_id is None)


def _byte_alphabet() -> dict[str, int]:
    """The characters that byte-level tokenizers write bytes with.

    Source:
        Radford et al. 2019, GPT-2, `encoder.py` (`bytes_to_unicode`).
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    alphabet = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in printable)
    return alphabet | {chr(256 + i): byte for i, byte in enumerate(others)}


_ALPHABET = _byte_alphabet()


def _bytes_of_alphabet(token: str) -> bytes:
    """The bytes a byte-level token is written for; a token outside the alphabet is itself."""
    if any(char not in _ALPHABET for char in token):
        return token.encode()
    return bytes(_ALPHABET[char] for char in token)
