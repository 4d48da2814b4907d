"""Tables of answers that were given chunks; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from playground.core.metrics.intervals import wilson_interval
from playground.core.support import Supported


class AnswerRow(NamedTuple):
    """An answer, a row of `answers`.

    Attributes:
        way: Name of the way it was asked.
        prompt: The prompt, word for word.
        n_tokens: Tokens of the prompt.
        answer: The answer.
        says_it, exact, f1: True if it holds the right answer, and if it is nothing else; F1 of its words, or
            of its characters in Korean. None where no right answer is known.
    """

    way: str
    prompt: str
    n_tokens: int
    answer: str
    says_it: bool | None
    exact: bool | None
    f1: float | None


def answers(rows: Sequence[AnswerRow]) -> pd.DataFrame:
    """Answers to one question, a row a way."""
    return pd.DataFrame(rows, columns=list(AnswerRow._fields))


def supported(answer: str, found: Sequence[Supported], sources: Sequence[str]) -> pd.DataFrame:
    """Sentences of an answer, a row a sentence.

    Args:
        answer: The answer.
        found: From `support`.
        sources: Sentences of the chunks.
    """
    rows = [
        (
            number, answer[one.span[0] : one.span[1]], one.verdict, one.overlap, ", ".join(one.missing),
            one.cosine, "" if one.source is None else sources[one.source],
        )
        for number, one in enumerate(found, 1)
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["sentence", "text", "verdict", "overlap", "missing", "cosine", "nearest"]
    )


def left_out(names: Sequence[str], logprobs: Sequence[float]) -> pd.DataFrame:
    """Bits that an answer loses without each chunk, a row a chunk.

    Args:
        names: Name of each prompt: the whole one first.
        logprobs: Log-probability of the answer after each, in nats.
    """
    bits = [-one / 0.6931471805599453 for one in logprobs]
    rows = [(name, bits[0], one, one - bits[0]) for name, one in zip(names[1:], bits[1:], strict=True)]
    return pd.DataFrame(rows, columns=["left_out", "bits_with", "bits_without", "lost_bits"])


def outcomes(counted: Mapping[str, tuple[str, int, int]]) -> pd.DataFrame:
    """Shares of questions with their 95 % intervals (Wilson), a row a figure.

    Args:
        counted: Way and figure -> words for the figure, questions of which it is true, all questions.
    """
    rows = [
        (key, words, n_true, n, n_true / n if n else 0.0, *wilson_interval(n_true, n))
        for key, (words, n_true, n) in counted.items()
    ]
    return pd.DataFrame(rows, columns=["key", "figure", "n_true", "n", "share", "low", "high"])
