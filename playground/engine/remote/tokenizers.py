"""Tokenizers of the replicas: a web process reads no model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from playground.core.tokens import Tokenization, TokenizerInfo
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes

_KEPT = 64  # answers about a tokenizer alone


class RemoteTokenizers:
    """The `Tokenizers` of the replicas. See `contract.tokenizers.Tokenizers` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls
        self._known: dict[tuple[object, ...], Any] = {}

    def _asked(self, method: str, tokenizer_id: str, *args: Any, question: object = "", **named: Any) -> Any:  # noqa: ANN401
        route = self._routes.question(tokenizer_id, repr(question))
        return self._calls.value(
            route, f"tokenizers.{method}", tokenizer_id, *args, model=tokenizer_id, **named
        )

    def _fact(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        """Something that stays true of a tokenizer."""
        key = (method, *args)
        known = self._known.get(key)
        if known is None:
            known = self._asked(method, *args)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = known
        return known

    def names(self) -> dict[str, str]:
        """Tokenizer id -> short name, in display order."""
        found: dict[str, str] = self._calls.value(self._routes.question("names"), "tokenizers.names")
        return found

    def info(self, tokenizer_id: str) -> TokenizerInfo:
        """Facts about a tokenizer."""
        found: TokenizerInfo = self._fact("info", tokenizer_id)
        return found

    def tokenize(
        self, tokenizer_id: str, text: str, *, add_special_tokens: bool, read_special: bool = False
    ) -> Tokenization:
        """Cut a text."""
        found: Tokenization = self._asked(
            "tokenize", tokenizer_id, text, question=text, add_special_tokens=add_special_tokens,
            read_special=read_special,
        )  # fmt: skip
        return found

    def tokenize_masked(self, model_id: str, text: str) -> Tokenization:
        """Cut a text as a model reads it, framed, with the masks that it spells."""
        found: Tokenization = self._asked("tokenize_masked", model_id, text, question=text)
        return found

    def token_texts(self, model_id: str, token_ids: Iterable[int]) -> tuple[str, ...]:
        """Readable form of each of a model's token ids."""
        ids = tuple(map(int, token_ids))
        found: tuple[str, ...] = self._asked("token_texts", model_id, ids, question=ids)
        return found

    def text_of(self, model_id: str, token_ids: Iterable[int]) -> str:
        """The text a model's tokens spell, without a last character that still misses bytes."""
        ids = tuple(map(int, token_ids))
        found: str = self._asked("text_of", model_id, ids, question=ids)
        return found

    def bytes_of_tokens(self, model_id: str, d_vocab: int) -> list[bytes]:
        """The bytes that each token of a model adds to a text."""
        found: list[bytes] = self._fact("bytes_of_tokens", model_id, d_vocab)
        return found

    def chat(
        self, model_id: str, messages: Sequence[Mapping[str, str]], *, read_special: bool = False
    ) -> Tokenization:
        """The messages in the model's chat template, ready for its answer, as tokens."""
        plain = [dict(one) for one in messages]
        found: Tokenization = self._asked("chat", model_id, plain, question=plain, read_special=read_special)
        return found

    def chat_frames(
        self, model_id: str, messages: Sequence[Mapping[str, str]], *, answer_follows: bool = True
    ) -> list[str]:
        """The texts that the model's chat template puts before, between and after the messages."""
        plain = [dict(one) for one in messages]
        found: list[str] = self._asked(
            "chat_frames", model_id, plain, question=plain, answer_follows=answer_follows
        )
        return found
