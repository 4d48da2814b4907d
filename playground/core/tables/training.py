"""Training rows and adapters as tidy tables; column names stand here only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

TOKENS = ("position", "token", "is_trained", "surprisal_bits", "loss_nats")
ROWS = ("row", "prompt", "answer", "held_out", "n_tokens")
ADAPTERS = ("adapter", "step", "method", "r", "lora_alpha", "target_modules", "n_parameters", "megabytes")
ANSWERS = ("question", "answer", "kind", "before", "after")
WRITTEN = ("model", "text")


def trained_tokens(
    labels: Sequence[str], is_trained: Sequence[bool], bits: Sequence[float | None]
) -> pd.DataFrame:
    """The tokens of one training row, one row each.

    Args:
        labels: Label of each token.
        is_trained: True for a token that counts in the loss.
        bits: Surprisal of each token; None where it does not count.

    Returns:
        position, token, is_trained, surprisal_bits, loss_nats; the last two missing where it does not count.
    """
    nats = [None if surprisal is None else surprisal * math.log(2) for surprisal in bits]
    rows = zip(range(len(labels)), labels, is_trained, bits, nats, strict=True)
    return pd.DataFrame(list(rows), columns=list(TOKENS))


def training_rows(rows: Sequence[tuple[str, str, bool, int]]) -> pd.DataFrame:
    """Training rows: prompt, answer, whether held out, tokens; numbered from 1."""
    return pd.DataFrame([(number, *row) for number, row in enumerate(rows, 1)], columns=list(ROWS))


def adapters(rows: Sequence[tuple[str, int, str, int | None, float | None, str, int, int]]) -> pd.DataFrame:
    """Adapters, one row each: name, steps, method, r, lora_alpha, target modules, trained numbers, bytes."""
    in_megabytes = [(*row[:-1], row[-1] / 1e6) for row in rows]
    return pd.DataFrame(in_megabytes, columns=list(ADAPTERS))


def answers(rows: Sequence[tuple[str, str, str, str, str]]) -> pd.DataFrame:
    """Questions with the right answer, their kind, and the answers before and after training."""
    return pd.DataFrame(list(rows), columns=list(ANSWERS))


def model_texts(rows: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Texts of several models: name of the model, its text."""
    return pd.DataFrame(list(rows), columns=list(WRITTEN))
