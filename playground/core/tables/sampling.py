"""Tables of the pages Home and Sampling; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from playground.core.journey import Journey
from playground.core.pieces import labels
from playground.core.ranking import RankedLogits
from playground.core.sampling import ORDERS, Distribution, Sampling, distribution
from playground.core.tokens import Tokenization


class GeneratedToken(NamedTuple):
    """One generated token, a row of `continuation`.

    Attributes:
        step: 1 for the first new token.
        token: Label of the token.
        token_id: Id of the token.
        surprisal_bits: -log2 of `model`.
        model: Probability of the token under the model itself (temperature 1, nothing cut).
        drawn: Probability in the distribution it was drawn from; None where the reader chose it.
        rank: 1 = the most probable token.
        n_kept: Tokens that survived the cuts; None where the reader chose it.
        entropy_bits: Entropy of the model's own distribution.
    """

    step: int
    token: str
    token_id: int
    surprisal_bits: float
    model: float
    drawn: float | None
    rank: int
    n_kept: int | None
    entropy_bits: float


def sampling(ranked: RankedLogits, texts: Sequence[str], chosen: Sampling) -> pd.DataFrame:
    """The most probable next tokens before and after the cuts, one row per token.

    Args:
        ranked: The logits.
        texts: Labels of the most probable tokens, best first; as many rows.
        chosen: The settings.

    Returns:
        rank (from 1), token, token_id, logit (nats), model (probability at temperature 1), tempered (at this
        temperature, before the cuts; `model` at temperature 0 where a cut came first and took the first
        token), cumulative (of `tempered`), kept, drawn (probability after the cuts),
        and per library True if it keeps the token with the same settings in its own order.
    """
    n = min(len(texts), len(ranked))
    token_ids = ranked.token_ids[:n]
    own = distribution(ranked)
    tempered = distribution(ranked, Sampling(chosen.temperature))
    by_order = {name: distribution(ranked, chosen.in_order(name)) for name in ORDERS}
    kept = {name: np.isin(token_ids, result.token_ids[: n + 1]) for name, result in by_order.items()}
    drawn = by_order[chosen.order]
    is_first_cut = chosen.temperature == 0 and drawn.token_ids[0] != tempered.token_ids[0]
    before = _aligned(token_ids, own if is_first_cut else tempered)
    return pd.DataFrame(
        {
            "rank": np.arange(1, n + 1),
            "token": list(texts[:n]),
            "token_id": token_ids,
            "logit": ranked.logits[:n],
            "model": _aligned(token_ids, own),
            "tempered": before,
            "cumulative": np.cumsum(before),
            "kept": kept[chosen.order],
            "drawn": _aligned(token_ids, drawn),
        }
        | kept
    )


class CurvePoint(NamedTuple):
    """Entropy of the next token at one temperature, a row of `temperature_curve`.

    Attributes:
        temperature: The temperature.
        tokens: "all", or "kept" by the cuts.
        entropy_bits: Entropy of a draw among these tokens.
        n_kept: Number of these tokens.
        now: True for the temperature the reader has chosen, False for one of the grid.
    """

    temperature: float
    tokens: str
    entropy_bits: float
    n_kept: int
    now: bool


def curve_points(
    ranked: RankedLogits, temperatures: Sequence[float], cuts: Sampling, *, now: bool
) -> list[CurvePoint]:
    """Two points, all tokens and those that `cuts` keep, at each of these temperatures.

    Args:
        ranked: The logits.
        temperatures: The temperatures.
        cuts: The settings; their temperature does not count.
        now: Value of `CurvePoint.now` for every point.
    """
    points = []
    for temperature in temperatures:
        everything = distribution(ranked, Sampling(temperature))
        kept = distribution(ranked, replace(cuts, temperature=temperature))
        points.append(CurvePoint(temperature, "all", everything.entropy_bits, everything.n_kept, now))
        points.append(CurvePoint(temperature, "kept", kept.entropy_bits, kept.n_kept, now))
    return points


def temperature_curve(points: Sequence[CurvePoint]) -> pd.DataFrame:
    """Entropy against temperature; columns are the fields of `CurvePoint`."""
    return pd.DataFrame(points, columns=list(CurvePoint._fields))


def continuation(tokens: Sequence[GeneratedToken]) -> pd.DataFrame:
    """Generated tokens, one row each; columns are the fields of `GeneratedToken`."""
    return pd.DataFrame(tokens, columns=list(GeneratedToken._fields))


def continuation_now(tokens: Sequence[GeneratedToken]) -> pa.Table:
    """Generated tokens as Arrow, the form sent to a chart: for a picture redrawn with every token."""
    columns = zip(*tokens, strict=True) if tokens else ((),) * len(GeneratedToken._fields)
    return pa.table(dict(zip(GeneratedToken._fields, map(list, columns), strict=True)))


class Path(NamedTuple):
    """One continuation of a tree, a row of `paths`.

    Attributes:
        path: 1 for the first.
        parent: The path it left, itself for the first.
        start, stop: Steps of its first own token and of its last.
        token: The token it went on with instead.
        text: Text of all its tokens.
        bits: Mean surprisal of its own tokens.
    """

    path: int
    parent: int
    start: int
    stop: int
    token: str
    text: str
    bits: float


def paths(rows: Sequence[Path]) -> pd.DataFrame:
    """Paths of a tree, one row each; columns are the fields of `Path`."""
    return pd.DataFrame(rows, columns=list(Path._fields))


def journey(read: Journey, tokenization: Tokenization, next_labels: Sequence[str]) -> pd.DataFrame:
    """Every number of the home page's picture, one row each.

    Args:
        read: The values read off the trace.
        tokenization: The sentence as the model reads it.
        next_labels: Labels of `read.next.token_ids`.

    Returns:
        station (vectors, attention, next token, sentence vector), position (from 1; rank of a next token),
        token, token_id, dimension (from 0, of vectors), value (a number of a vector, an attention weight, a
        probability). Values that a station lacks are missing.
    """
    own = list(enumerate(zip(labels(tokenization), tokenization.input_ids, strict=True)))
    rows: list[tuple[str, int | None, str | None, int | None, int | None, float]] = [
        ("vectors", position + 1, token, token_id, dimension, float(value))
        for position, (token, token_id) in own
        for dimension, value in enumerate(read.vectors[position])
    ]
    if read.attention is not None:
        weights = read.attention.weights.tolist()
        rows += [("attention", i + 1, token, token_id, None, weights[i]) for i, (token, token_id) in own]
    if read.next is not None:
        following = zip(next_labels, read.next.token_ids.tolist(), read.next.probs.tolist(), strict=True)
        rows += [
            ("next token", i, token, token_id, None, p) for i, (token, token_id, p) in enumerate(following, 1)
        ]
    if read.sentence is not None:
        rows += [("sentence vector", None, None, None, i, x) for i, x in enumerate(read.sentence.tolist())]
    columns = ["station", "position", "token", "token_id", "dimension", "value"]
    whole = {"position": "Int64", "token_id": "Int64", "dimension": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype(whole)


def _aligned(token_ids: NDArray[np.int64], distribution: Distribution) -> NDArray[np.float64]:
    """Probability of each of these tokens, 0 where it was cut. Shape [n]."""
    n = len(token_ids)
    prob_of = dict(
        zip(distribution.token_ids[: n + 1].tolist(), distribution.probs[: n + 1].tolist(), strict=True)
    )
    return np.array([prob_of.get(token_id, 0.0) for token_id in token_ids.tolist()])


def zero_unsigned(numbers: pd.Series, digits: int) -> pd.Series:
    """The numbers for a table with this many digits, where a small negative one would read -0.00.

    Example:
        >>> zero_unsigned(pd.Series([-0.004, -0.006]), 2).tolist()
        [0.0, -0.006]
    """
    return numbers.where(numbers.round(digits) != 0, 0.0)
