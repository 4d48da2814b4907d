"""Predictions of a text, and guesses at it, as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground.core.predictions import Predictions


class GuessedToken(NamedTuple):
    """One token of the game, a row of `guesses`.

    Attributes:
        step: Position in the text, from 1.
        token: Label of the token.
        guesses: Number of guesses the reader needed; where they gave up, of wrong ones they tried.
        gave_up: True if the reader gave up.
        rank: Number of guesses the model would have needed: 1 = its first choice.
        surprisal_bits: -log2 of its probability under the model.
    """

    step: int
    token: str
    guesses: int
    gave_up: bool
    rank: int
    surprisal_bits: float


def surprisals(
    read: Predictions,
    input_ids: Sequence[int],
    labels: Sequence[str],
    *,
    n_start: int = 0,
    both: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> pd.DataFrame:
    """Surprisal of each token after the first, one row each.

    Args:
        read: The model's predictions.
        input_ids: Ids of the tokens it read. Length [position].
        labels: Label of each token. Length [position].
        n_start: Number of tokens in front of the text.
        both: A name -> surprisals in bits of the last tokens, for further columns.

    Returns:
        step (position in the text, from 1), token, token_id, model (its probability), surprisal_bits, rank
        (1 = most probable), entropy_bits (of the distribution it came from); `<name>_bits` of each of
        `both`, missing where it has none for a token.
    """
    n = len(read.logprobs)
    table = pd.DataFrame(
        {
            "step": np.arange(2, n + 2) - n_start,
            "token": list(labels[1:]),
            "token_id": np.array(input_ids[1:], dtype=np.int64),
            "model": np.exp(read.logprobs.astype(np.float64)),
            "surprisal_bits": read.surprisal_bits,
            "rank": read.ranks + 1,
            "entropy_bits": read.entropy_bits[:n].astype(np.float64),
        }
    )
    for name, bits in both.items():
        last = np.asarray(bits, np.float64)[-n:]
        table[f"{name}_bits"] = np.concatenate([np.full(n - len(last), np.nan), last])
    return table


def guesses(rows: Sequence[GuessedToken]) -> pd.DataFrame:
    """Guessed tokens, one row each; columns are the fields of `GuessedToken`."""
    return pd.DataFrame(rows, columns=list(GuessedToken._fields))
