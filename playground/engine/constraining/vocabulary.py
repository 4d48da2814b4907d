"""A model's tokens as the trie of their bytes, on which a form is laid at each step."""

from __future__ import annotations

import threading
import weakref
from bisect import bisect_right
from collections.abc import Sequence

import llguidance

from playground.core.constraints.characters import LAST, Ranges, united
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import never_written
from playground.engine.models.tokenizing import TextTokenizer


class Vocabulary:
    """All tokens that a model can write, as a trie of their bytes. Immutable: all threads share it.

    Marks of the format have no bytes and are never allowed; where a text may end, the marks of its end are.

    Args:
        token_bytes: Bytes of each id; b"" for what is never written. Shape [d_vocab].
        end_ids: Ids that end a text; none for a model without such a mark.

    Attributes:
        trie: The library's object.
        d_vocab: Number of ids that a mask is about.
    """

    def __init__(self, token_bytes: Sequence[bytes], end_ids: frozenset[int]) -> None:
        self.d_vocab = len(token_bytes)
        without_end = [b"" if at in end_ids else one for at, one in enumerate(token_bytes)]
        if not end_ids:  # the library wants one: an id that no mask shows
            without_end.append(b"")
        ends = sorted(end_ids) or [self.d_vocab]
        source = llguidance.TokenizerWrapper(_Tokens(without_end, ends[0]))
        # without the library's slices: 5 MB instead of 18 for 49,152 tokens, a mask in 0.5 ms instead of 0.1
        self.trie = llguidance.LLTokenizer(source, n_vocab=len(without_end), eos_token=ends, slices=[])
        source.tokens = []  # the trie has them now
        written = _written_alone(without_end)
        self._first, self._last = [one[0] for one in written], [one[1] for one in written]

    def writes(self, characters: Ranges) -> bool:
        """True if at least one of these characters can be written, whatever was before it."""
        return any(self._last[bisect_right(self._first, last) - 1] >= first for first, last in characters)


def _written_alone(token_bytes: Sequence[bytes]) -> Ranges:
    """The characters that are a token, or are written byte by byte.

    Characters that only stand within longer tokens are not among them, nor those of which a byte is missing.
    """
    short = {one for one in token_bytes if 0 < len(one) <= 4}
    found = [(-1, -1)]  # below all characters, so that each has a neighbour there
    for one in short:
        text = one.decode("utf-8", "ignore")
        if len(text) == 1 and text.encode() == one:
            found.append((ord(text), ord(text)))
    if all(bytes([byte]) in short for byte in range(0x80, 0xC0)):
        begins = ((first, *_begun_by(first)) for first in range(0xC2, 0xF5))
        found += [(low, high) for first, low, high in begins if bytes([first]) in short]
    return ((-1, -1), *united(found[1:]))


def _begun_by(byte: int) -> tuple[int, int]:
    """First and last character whose UTF-8 begins with this byte, of two to four.

    Source:
        RFC 3629, section 3.
    """
    n_bytes = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    n_bits = 6 * (n_bytes - 1)
    low = (byte & (0x7F >> n_bytes)) << n_bits
    return max(low, {2: 0x80, 3: 0x800, 4: 0x10000}[n_bytes]), min(low + (1 << n_bits) - 1, LAST)


class _Tokens:
    """The tokens in the form that the library reads."""

    def __init__(self, tokens: list[bytes], end_id: int) -> None:
        self.tokens, self.eos_token_id = tokens, end_id
        self.bos_token_id: int | None = None
        self.special_token_ids: list[int] = []

    def __call__(self, _text: bytes) -> list[int]:
        """No text is cut: which token comes next is the model's to say, not a tokenizer's."""
        return []


_known: weakref.WeakKeyDictionary[TextTokenizer, Vocabulary] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def vocabulary_of(loaded: LoadedModel) -> Vocabulary:
    """The vocabulary of a model; made by the first thread that asks, and gone with its tokenizer."""
    tokenizer = loaded.tokenizer
    with _making:
        if tokenizer not in _known:
            never = set(never_written(loaded)) if loaded.info.kind == "encoder-decoder" else set[int]()
            ids = range(loaded.info.d_vocab)
            token_bytes = [b"" if at in never else tokenizer.token_bytes(at) for at in ids]
            _known[tokenizer] = Vocabulary(token_bytes, frozenset(tokenizer.eos_ids & set(ids)))
        return _known[tokenizer]
