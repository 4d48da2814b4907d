"""Tokens and their log-probabilities, as the two kinds of answers of OpenAI's clients name them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from playground.core.trace import Trace
from playground.engine.contract.generation import GenerateStep
from playground.engine.contract.models import ModelInfo
from playground.v1.asking import Asking

LOWEST: Final = -9999.0  # for a probability of 0, whose logarithm is no number of JSON


@dataclass(frozen=True, slots=True)
class Scored:
    """A token of a text with its alternatives.

    Attributes:
        token_id: The token.
        logprob: Its log-probability under the model, nats; None for the first token of a prompt.
        top: (token, log-probability) of the most probable ones, best first.
    """

    token_id: int
    logprob: float | None
    top: tuple[tuple[int, float], ...]


def of_step(step: GenerateStep, n_top: int) -> Scored:
    """The token that was written, with the model's own probabilities."""
    logprobs = (step.top_logits[:n_top].astype(np.float64) - step.log_sum_exp).tolist()
    return _scored(step.token_id, step.logprob, step.top_ids[:n_top].tolist(), logprobs)


def of_prompt(trace: Trace, n_top: int) -> list[Scored]:
    """Every token of a prompt, as the model predicted it from those before."""
    found = trace.predictions
    assert found is not None
    scored = []
    for place, token_id in enumerate(trace.input_ids.tolist()):
        if not place:
            scored.append(Scored(token_id, None, ()))
            continue
        ids, logprobs = found.top_ids[place - 1, :n_top], found.top_logprobs[place - 1, :n_top]
        logprob = float(found.logprobs[place - 1])
        scored.append(_scored(token_id, logprob, ids.tolist(), logprobs.tolist()))
    return scored


def _scored(token_id: int, logprob: float, ids: Sequence[int], logprobs: Sequence[float]) -> Scored:
    """A token with its alternatives; where it is one of them, it has one number in both places."""
    top = ((one, logprob if one == token_id else other) for one, other in zip(ids, logprobs, strict=True))
    return Scored(token_id, logprob, tuple(top))


class Speller:
    """The names of one model's tokens.

    Args:
        asking: The request that is answered.
        model: A model in memory.
    """

    def __init__(self, asking: Asking, model: ModelInfo) -> None:
        self._bytes = asking.spellings.of(asking.engine, model)
        self._marks: dict[int, str] = {}
        self._asking, self._model = asking, model

    def bytes_of(self, token_id: int) -> bytes:
        """The bytes that a token adds to a text; b"" for a mark."""
        return self._bytes[token_id]

    def text(self, token_id: int) -> str:
        """The token's text; `bytes:\\xEC` where it is no whole character, the name of a mark."""
        piece = self._bytes[token_id]
        if not piece:
            return self._mark(token_id)
        try:
            return piece.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)

    def _mark(self, token_id: int) -> str:
        if token_id not in self._marks:
            names = self._asking.engine.tokenizers.token_texts(self._model.model_id, (token_id,))
            self._marks[token_id] = names[0]
        return self._marks[token_id]

    def offsets(self, token_ids: Sequence[int], start: int = 0) -> list[int]:
        """The number of characters before each token; of a character in several tokens, before it."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        found, at = [], start
        for token_id in token_ids:
            found.append(at)
            at += len(decoder.decode(self._bytes[token_id]))
        return found


def in_columns(scored: Sequence[Scored], speller: Speller, start: int = 0) -> dict[str, Any]:
    """The `logprobs` of a completion: a list for each of four things.

    Args:
        scored: The tokens.
        speller: Their names.
        start: Characters before the first of them.
    """
    return {
        "tokens": [speller.text(one.token_id) for one in scored],
        "token_logprobs": [None if one.logprob is None else _finite(one.logprob) for one in scored],
        "top_logprobs": [
            None if one.logprob is None else _by_text(one.top, speller) for one in scored
        ],
        "text_offset": speller.offsets([one.token_id for one in scored], start),
    }  # fmt: skip


def in_rows(scored: Iterable[Scored], speller: Speller) -> list[dict[str, Any]]:
    """The `logprobs.content` of a chat answer: an object for each token."""
    return [
        _row(one.token_id, one.logprob or 0.0, speller)
        | {"top_logprobs": [_row(token_id, logprob, speller) for token_id, logprob in one.top]}
        for one in scored
    ]


def _by_text(top: Iterable[tuple[int, float]], speller: Speller) -> dict[str, float]:
    """Text and log-probability; where two tokens have one text, the more probable one."""
    found: dict[str, float] = {}
    for token_id, logprob in top:
        found.setdefault(speller.text(token_id), _finite(logprob))
    return found


def _row(token_id: int, logprob: float, speller: Speller) -> dict[str, Any]:
    piece = speller.bytes_of(token_id)
    return {
        "token": speller.text(token_id), "logprob": _finite(logprob), "bytes": list(piece) if piece else None,
    }  # fmt: skip


def _finite(logprob: float) -> float:
    return max(logprob, LOWEST)
