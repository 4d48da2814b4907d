"""Training rows and adapters as tidy tables; column names stand here only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

TOKENS = ("position", "token", "is_trained", "surprisal_bits", "loss_nats")
ROWS = ("row", "prompt", "answer", "held_out", "n_tokens")
ADAPTERS = ("adapter", "step", "r", "lora_alpha", "target_modules", "n_parameters", "megabytes")
ANSWERS = ("question", "answer", "kind", "before", "after")
WRITTEN = ("model", "text")


def trained_tokens(
    labels: Sequence[str], is_trained: Sequence[bool], bits: Sequence[float | None]
) -> pd.DataFrame:
    """The tokens of one training row, one row each.

    Args:
        labels: How each token is shown.
        is_trained: Whether it counts in the loss.
        bits: Its surprisal; None where it does not count.

    Returns:
        position, token, is_trained, surprisal_bits, loss_nats; the last two missing where it does not count.
    """
    nats = [None if one is None else one * math.log(2) for one in bits]
    rows = zip(range(len(labels)), labels, is_trained, bits, nats, strict=True)
    return pd.DataFrame(list(rows), columns=list(TOKENS))


def training_rows(rows: Sequence[tuple[str, str, bool, int]]) -> pd.DataFrame:
    """Training rows: prompt, answer, whether held out, tokens; numbered from 1."""
    return pd.DataFrame([(number, *row) for number, row in enumerate(rows, 1)], columns=list(ROWS))


def adapters(rows: Sequence[tuple[str, int, int, float, str, int, int]]) -> pd.DataFrame:
    """Adapters, one row each: name, steps, r, lora_alpha, target modules, trained numbers, bytes."""
    made = [(*row[:-1], row[-1] / 1e6) for row in rows]
    return pd.DataFrame(made, columns=list(ADAPTERS))


def answers(rows: Sequence[tuple[str, str, str, str, str]]) -> pd.DataFrame:
    """Questions with the right answer, their kind, and what was answered before and after training."""
    return pd.DataFrame(list(rows), columns=list(ANSWERS))


def written(rows: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """What each model wrote: its name, the text."""
    return pd.DataFrame(list(rows), columns=list(WRITTEN))
