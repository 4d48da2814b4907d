"""Tables of the page Masked; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from playground.core.minimal_pairs import MeasuredPair, PairCounts


class Answer(NamedTuple):
    """A token that may stand behind a mask, a row of `answers`.

    Attributes:
        mask: Number of the mask, from 1.
        gap: Its place in words.
        order: Number of the row within the mask, from 1.
        rank: 1 = the most probable token.
        token: Label of the token.
        token_id: Id of the token.
        probability: Probability behind this mask.
        stood_there: True for the token that was hidden.
    """

    mask: int
    gap: str
    order: int
    rank: int
    token: str
    token_id: int
    probability: float
    stood_there: bool


class FilledText(NamedTuple):
    """A way to fill several masks, a row of `fillings`.

    Attributes:
        way: Name of the way.
        tokens: The tokens it wrote, from left to right.
        text: The text with them.
        bits: Sum of their surprisals when they were chosen.
        chain_bits: Surprisal of the same tokens from left to right, each given those before it.
    """

    way: str
    tokens: str
    text: str
    bits: float
    chain_bits: float


class CandidateScore(NamedTuple):
    """A reader's answer, a row of `candidates`.

    Attributes:
        candidate: The words.
        tokens: Its tokens.
        n_tokens: Number of them.
        bits: Surprisal of all, from left to right.
        probability: Probability among all answers of as many tokens.
    """

    candidate: str
    tokens: str
    n_tokens: int
    bits: float
    probability: float


class WordCost(NamedTuple):
    """A word as two models expect it, a row of `words`.

    Attributes:
        step: Number of the word, from 1.
        word: The word.
        both_bits: Surprisal for the encoder, which sees what is before and after it.
        left_bits: Surprisal for the decoder, which sees what is before it.
    """

    step: int
    word: str
    both_bits: float
    left_bits: float


class ScoredToken(NamedTuple):
    """A token and its surprisal, a row of `scored`.

    Attributes:
        step: Position in the text, from 1.
        token: Label of the token.
        token_id: Id of the token.
        kind: Treatment of the token, as an objective names it; "" for none.
        model: Its probability.
        surprisal_bits: -log2 of it.
        rank: 1 = the most probable token there.
    """

    step: int
    token: str
    token_id: int
    kind: str
    model: float
    surprisal_bits: float
    rank: int


class ExampleToken(NamedTuple):
    """A token of a training example, a row of `example`.

    Attributes:
        row: Name of the row it stands in.
        step: Place in the row, from 1.
        token: Label.
        kind: plain, frame, mask, random, kept, sentinel, true or false.
        answer: The answer wanted there; "" for none.
    """

    row: str
    step: int
    token: str
    kind: str
    answer: str


def answers(rows: Sequence[Answer]) -> pd.DataFrame:
    """The most probable tokens of each mask; `name` is rank and token in one."""
    table = pd.DataFrame(rows, columns=list(Answer._fields))
    table["name"] = [f"{rank:,}. {token}" for rank, token in zip(table["rank"], table["token"], strict=True)]
    return table


def fillings(rows: Sequence[FilledText]) -> pd.DataFrame:
    """Ways to fill the masks of a text."""
    return pd.DataFrame(rows, columns=list(FilledText._fields))


def candidates(rows: Sequence[CandidateScore]) -> pd.DataFrame:
    """The reader's answers, the most probable first."""
    table = pd.DataFrame(rows, columns=list(CandidateScore._fields))
    return table.sort_values("bits", kind="stable", ignore_index=True)


def words(rows: Sequence[WordCost]) -> pd.DataFrame:
    """Words with both surprisals, and how much less the encoder needs."""
    table = pd.DataFrame(rows, columns=list(WordCost._fields))
    table["saved_bits"] = table["left_bits"] - table["both_bits"]
    return table


def sides(table: pd.DataFrame) -> pd.DataFrame:
    """`words` with one row per word and model: step, word, side ("both" or "left"), surprisal_bits."""
    long = table.melt(["step", "word"], ["both_bits", "left_bits"], "side", "surprisal_bits")
    long["side"] = long["side"].str.removesuffix("_bits")
    return long


def scored(rows: Sequence[ScoredToken]) -> pd.DataFrame:
    """Tokens with their surprisals."""
    return pd.DataFrame(rows, columns=list(ScoredToken._fields))


def example(rows: Sequence[ExampleToken]) -> pd.DataFrame:
    """The tokens of a training example."""
    return pd.DataFrame(rows, columns=list(ExampleToken._fields))


def pairs(measured: Sequence[MeasuredPair]) -> pd.DataFrame:
    """Measured pairs, one row each.

    Returns:
        pair (from 1), group, sentence_a, sentence_b, bits_a, bits_b, n_a, n_b, difference_bits.
    """
    return pd.DataFrame(
        {
            "pair": np.arange(1, len(measured) + 1),
            "group": [one.pair.group for one in measured],
            "sentence_a": [one.pair.a for one in measured],
            "sentence_b": [one.pair.b for one in measured],
            "bits_a": [one.bits_a for one in measured],
            "bits_b": [one.bits_b for one in measured],
            "n_a": [one.n_a for one in measured],
            "n_b": [one.n_b for one in measured],
            "difference_bits": [one.difference for one in measured],
        }
    )


def pair_counts(counted: Sequence[PairCounts]) -> pd.DataFrame:
    """Preferences by group: group, n, n_a, n_b, ties, mean_bits, low, high."""
    return pd.DataFrame(
        {
            "group": [one.group for one in counted],
            "n": [one.n for one in counted],
            "n_a": [one.n_a for one in counted],
            "n_b": [one.n_b for one in counted],
            "ties": [one.n - one.n_a - one.n_b for one in counted],
            "mean_bits": [one.mean_bits for one in counted],
            "low": [one.low for one in counted],
            "high": [one.high for one in counted],
        }
    )
