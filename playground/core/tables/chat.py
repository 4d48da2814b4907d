"""Prompts and answers of a chat model, token by token; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log, nan

import pandas as pd

from playground.core import pieces
from playground.core.few_shot import message_spans
from playground.core.tokens import Tokenization

COLUMNS = ("prompt", "position", "token", "token_id", "part", "surprisal_bits")


@dataclass(frozen=True, slots=True)
class ChatReading:
    """Messages as a model reads them.

    Attributes:
        tokens: The whole prompt.
        parts: Part of each token: "mark" for a special token, the role of its message, or the name of the
            text around the messages.
    """

    tokens: Tokenization
    parts: tuple[str, ...]

    def n(self, *kinds: str) -> int:
        """Number of tokens of these parts."""
        return sum(part in kinds for part in self.parts)


@dataclass(slots=True)
class ChatAnswer:
    """A model's answer to a prompt, as far as it is written.

    Attributes:
        token_ids, tokens: The new tokens and their readable form.
        logprobs: Log-probability of each under the model, nats.
        text: The text of these tokens.
        finish: Reason for the end ("end_of_text": by itself), None before.
    """

    token_ids: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    text: str = ""
    finish: str | None = None

    @property
    def surprisal_bits(self) -> list[float]:
        """Surprisal of each token in bits."""
        return [0.0 - logprob / log(2) for logprob in self.logprobs]


def reading(
    tokens: Tokenization,
    frames: Sequence[str],
    messages: Sequence[Mapping[str, str]],
    marks: frozenset[int],
    around: str,
) -> ChatReading:
    """Assign each token to a part; a token that a message shares with the text around it is the message's.

    Args:
        tokens: The whole prompt.
        frames: The text before, between and after the messages.
        messages: `role` and `content` of each.
        marks: Ids of special tokens, which are not text.
        around: Name for text that is in no message.
    """
    spans = message_spans(tokens.text, frames, [message["content"] for message in messages])

    def part(token_id: int, start: int, stop: int) -> str:
        for message, (first, last) in zip(messages, spans, strict=False):
            if start < last and stop > first:
                return message["role"]
        return "mark" if token_id in marks else around

    each = zip(tokens.input_ids, tokens.offsets, strict=True)
    return ChatReading(tokens, tuple(part(token_id, start, stop) for token_id, (start, stop) in each))


def own_texts(read: ChatReading, around: str) -> list[str]:
    """Texts of the template itself, between two special tokens or messages, without the names of the roles.

    Args:
        read: The messages in a template.
        around: As in `reading`.
    """
    runs: list[str] = []
    is_open = False
    for part, (start, stop) in zip(read.parts, read.tokens.offsets, strict=True):
        if part == around:
            text = read.tokens.text[start:stop]
            runs = [*runs[:-1], runs[-1] + text] if is_open else [*runs, text]
        is_open = part == around
    return [text for run in runs if (text := _without_role(run.strip()))]


def _without_role(text: str) -> str:
    first, _break, rest = text.partition("\n")
    return rest.strip() if first.strip() in ("system", "user", "assistant") else text


def common_start(first: Sequence[object], second: Sequence[object]) -> int:
    """Length of the common beginning of two answers, in tokens or characters.

    Example:
        >>> common_start([5, 6, 7], [5, 6, 8, 9])
        2
    """
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))


def chat(readings: Mapping[str, ChatReading], answers: Mapping[str, ChatAnswer]) -> pd.DataFrame:
    """The tokens of prompts and answers, one row each.

    Args:
        readings: Name of a prompt -> its messages as a model reads them.
        answers: Name of a prompt -> the answer to it.

    Returns:
        prompt, position (from 1, the answer counts on where one prompt is known), token (as shown), token_id,
        part (mark, template, system, user, assistant, ..., answer), surprisal_bits (NaN where it was read).
    """
    rows: list[tuple[object, ...]] = []
    for name in dict.fromkeys([*readings, *answers]):
        start = 1
        if name in readings:
            read = readings[name]
            labels = pieces.labels(read.tokens)
            columns = zip(labels, read.tokens.input_ids, read.parts, strict=True)
            rows += [(name, at, *row, nan) for at, row in enumerate(columns, start)]
            start += len(read.tokens)
        if name in answers:
            answer = answers[name]
            shown = pieces.sequence_labels(answer.tokens)
            written = zip(shown, answer.token_ids, answer.surprisal_bits, strict=True)
            rows += [
                (name, at, label, token_id, "answer", bits)
                for at, (label, token_id, bits) in enumerate(written, start)
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
