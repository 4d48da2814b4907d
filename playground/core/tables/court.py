"""Tables of the perplexity of a text: along it, under other windows, under two models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground.core.metrics.perplexity import Cost, Window, running_perplexity


class UnderWindows(NamedTuple):
    """A text under one kind of windows, a row of `under_windows`.

    Attributes:
        context: Most tokens before the one the model is asked about.
        stride: Tokens from one window to the next.
        n_windows: Number of windows.
        perplexity: Perplexity of the text.
        bits_per_byte: Its bits by the byte.
        now: True for the windows that are shown.
    """

    context: int
    stride: int
    n_windows: int
    perplexity: float
    bits_per_byte: float
    now: bool


class Judgement(NamedTuple):
    """A text under one model in one kind of pieces, a row of `models`.

    Attributes:
        model: Name of the model.
        pieces: Name of the pieces.
        cost: Cost of the text.
        which: first or second.
    """

    model: str
    pieces: str
    cost: Cost
    which: str


def along(
    labels: Sequence[str], logprobs: ArrayLike, parts: Sequence[Window], whole: ArrayLike | None
) -> pd.DataFrame:
    """Running perplexity, one row a token after the first.

    Args:
        labels: Label of each token after the first. Length [token].
        logprobs: Log-probability of each in its window, nats. Shape [token].
        parts: The windows.
        whole: The same with all tokens before as context. Shape [token]; None where that is not known.

    Returns:
        step (from 1), token, window (from 1), context (tokens before it that the model saw), surprisal_bits,
        perplexity (of the text up to here), whole (the same with the whole context, missing where not known).
    """
    nats = np.asarray(logprobs, np.float64)
    n = len(nats)
    window = np.concatenate([np.full(one.end - one.first, at) for at, one in enumerate(parts, 1)])
    begin = np.concatenate([np.full(one.end - one.first, one.begin) for one in parts])
    return pd.DataFrame(
        {
            "step": np.arange(1, n + 1),
            "token": list(labels),
            "window": window,
            "context": np.arange(1, n + 1) - begin,
            "surprisal_bits": nats / -np.log(2),
            "perplexity": running_perplexity(nats),
            "whole": np.full(n, np.nan) if whole is None else running_perplexity(whole),
        }
    )


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """`along` with a row a token and line: step, token, context, line ("windows" or "whole"), perplexity."""
    kept = table.rename(columns={"perplexity": "windows"})
    long = kept.melt(["step", "token", "context"], ["windows", "whole"], "line", "perplexity")
    return long.dropna(subset=["perplexity"])


def under_windows(rows: Sequence[UnderWindows]) -> pd.DataFrame:
    """A text under several kinds of windows."""
    return pd.DataFrame(rows, columns=list(UnderWindows._fields))


def models(rows: Sequence[Judgement]) -> pd.DataFrame:
    """A text under several models, one row each.

    Returns:
        which, model, pieces, n_pieces, n_bytes, total_bits, perplexity, bits_per_byte, bits_per_character.
    """
    return pd.DataFrame(
        {
            "which": [one.which for one in rows],
            "model": [one.model for one in rows],
            "pieces": [one.pieces for one in rows],
            "n_pieces": [one.cost.n_pieces for one in rows],
            "n_bytes": [one.cost.n_bytes for one in rows],
            "total_bits": [one.cost.total_bits for one in rows],
            "perplexity": [one.cost.perplexity for one in rows],
            "bits_per_byte": [one.cost.bits_per_byte for one in rows],
            "bits_per_character": [one.cost.bits_per_character for one in rows],
        }
    )
