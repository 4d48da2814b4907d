"""Fine-tuning as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from playground.core.lora import LowRank, relative_norm, singular_values, smoothed
from playground.core.metrics.intervals import wilson_interval

LOSSES = ("step", "loss", "series")
LENGTHS = ("n_tokens", "stop", "n")
AREAS = ("matrix", "x", "x2", "y", "y2", "n", "label")
DELTA_MAP = ("layer", "module", "relative_norm")
SPECTRUM = ("place", "value", "share")
STRENGTHS = ("strength", "token", "prob")
SCORES = ("kind", "when", "accuracy", "n", "low", "high")
MOST_BINS = 20
GAP = 0.04  # between two matrices, of the longest side


def losses(
    train: Sequence[tuple[int, float]],
    held_out: Sequence[tuple[int, float]],
    general: Sequence[tuple[int, float]],
) -> pd.DataFrame:
    """The losses of a run, one row per step and series.

    Args:
        train: Step and loss (nats per token) of each step.
        held_out, general: Step and loss where it was measured: on held-out examples, on other text.

    Returns:
        step, loss (missing where it is not finite), series: train, smoothed (of train), held_out, general.
    """
    even = smoothed([loss for _step, loss in train]).tolist()
    series = {
        "train": train,
        "smoothed": [(step, loss) for (step, _loss), loss in zip(train, even, strict=True)],
        "held_out": held_out,
        "general": general,
    }
    rows = [(step, loss, name) for name, points in series.items() for step, loss in points]
    table = pd.DataFrame(rows, columns=list(LOSSES)).astype({"step": np.int64, "loss": np.float64})
    return table.assign(loss=table["loss"].where(np.isfinite(table["loss"])))


def lengths(n_tokens: Sequence[int]) -> pd.DataFrame:
    """Histogram of the lengths of examples, one row per range of lengths, at most `MOST_BINS` of them.

    Args:
        n_tokens: Tokens of each example.

    Returns:
        n_tokens (the shortest of the range), stop (the first length after it), n (examples).
    """
    if not len(n_tokens):
        return pd.DataFrame([], columns=list(LENGTHS), dtype=np.int64)
    low, high = min(n_tokens), max(n_tokens)
    widths = (digit * 10**power for power in range(19) for digit in (1, 2, 5))
    width = next(each for each in widths if high // each - low // each < MOST_BINS)
    edges = width * np.arange(low // width, high // width + 2)
    counts = np.bincount(np.asarray(n_tokens) // width - low // width)
    return pd.DataFrame(dict(zip(LENGTHS, (edges[:-1], edges[1:], counts), strict=True)))


def areas(d_out: int, d_in: int, r: int) -> pd.DataFrame:
    """A frozen weight and its two factors as rectangles, all to the same scale: one number, one unit of area.

    A stands over the columns of W, B beside its rows: an entry of B A is a row of B times a column of A.

    Args:
        d_out, d_in: Shape of W.
        r: Rank.

    Returns:
        matrix (W, A, B), x, x2, y, y2 (sides of the rectangle, y upward), n (numbers in it), label (rows x
        columns).
    """
    gap = GAP * max(d_out, d_in)
    rows = [
        ("W", 0.0, d_in, 0.0, d_out, d_out * d_in, f"{d_out} × {d_in}"),
        ("A", 0.0, d_in, d_out + gap, d_out + gap + r, r * d_in, f"{r} × {d_in}"),
        ("B", d_in + gap, d_in + gap + r, 0.0, d_out, d_out * r, f"{d_out} × {r}"),
    ]
    return pd.DataFrame(rows, columns=list(AREAS)).astype({"x2": np.float64, "y2": np.float64})


def delta_map(changes: Sequence[LowRank]) -> pd.DataFrame:
    """Relative change of each linear layer, one row each.

    Args:
        changes: All changes of an adapter.

    Returns:
        layer (counted from 1, as on the page), module, relative_norm (Frobenius norm of the change / of the
        frozen weight; missing where it is not finite).
    """
    rows = [(change.layer + 1, change.module, relative_norm(change)) for change in changes]
    table = pd.DataFrame(rows, columns=list(DELTA_MAP)).astype({"relative_norm": np.float64})
    return table.assign(relative_norm=table["relative_norm"].where(np.isfinite(table["relative_norm"])))


def spectrum(changes: Sequence[LowRank], layer: int, module: str) -> pd.DataFrame:
    """Singular values of one change.

    Args:
        changes: All changes of an adapter.
        layer, module: Layer from 0 and module of the change.

    Returns:
        place (1 = largest), value, share (of their sum, as in `lora.effective_rank`; missing if all are 0).

    Raises:
        ValueError: The adapter does not change this module.
    """
    change = next((change for change in changes if (change.layer, change.module) == (layer, module)), None)
    if change is None:
        raise ValueError(f"the adapter has no {module} in layer {layer}")
    values = singular_values(change)
    shares = values / (values.sum() or np.nan)
    return pd.DataFrame(dict(zip(SPECTRUM, (np.arange(1, len(values) + 1), values, shares), strict=True)))


def strengths(rows: Sequence[tuple[float, str, float]]) -> pd.DataFrame:
    """The next token with more and less of the adapter, one row per strength and token.

    Args:
        rows: Strength, label of the token, its probability.

    Returns:
        strength (0 = the model as it was, 1 = as trained), token, prob.
    """
    return pd.DataFrame(list(rows), columns=list(STRENGTHS))


def question_scores(rows: Sequence[tuple[str, str, int, int]]) -> pd.DataFrame:
    """Answers to questions before and after training, one row per kind of question and time.

    Args:
        rows: Kind ("memorised", "generalised"), when ("before", "after"), right answers, questions.

    Returns:
        kind, when, accuracy, n (questions), low, high (Wilson's 95 % interval); no row without a question.
    """
    scores = [
        (kind, when, n_right / n, n, *wilson_interval(n_right, n)) for kind, when, n_right, n in rows if n
    ]
    return pd.DataFrame(scores, columns=list(SCORES))
