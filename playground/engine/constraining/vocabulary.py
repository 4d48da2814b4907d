"""A model's tokens as the trie of their bytes, on which a form is laid at each step."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence

import llguidance

from playground.core.constraints.characters import Ranges
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
        self.trie = llguidance.LLTokenizer(source, n_vocab=len(without_end), eos_token=ends)
        source.tokens = []  # the trie has them now
        self._whole = frozenset(one for one in without_end if 0 < len(one) <= 4)

    def writes(self, characters: Ranges) -> bool:
        """True if at least one of these characters can be written, whatever was before it."""
        return any(self._writes(code) for first, last in characters for code in range(first, last + 1))

    def _writes(self, code: int) -> bool:
        written = chr(code).encode()
        return written in self._whole or all(
            written[at : at + 1] in self._whole for at in range(len(written))
        )


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
