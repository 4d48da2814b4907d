"""Tables of quantized weights, of measured quantizations, and of what a quantized copy answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from playground.core.measured_quantization import MeasuredModel
from playground.core.quantization import Scheme

N_BINS = 81  # odd, so that one is around 0


def grid(weights: NDArray[np.float32], shared: NDArray[np.float32], values: ArrayLike) -> pd.DataFrame:
    """A histogram of a matrix, one of the weights that share a grid, and the grid.

    Args:
        weights: The matrix. Shape [d_out, d_in].
        shared: Those of its weights that share the grid. Any shape.
        values: The grid. Shape [value].

    Returns:
        part ("all", "these", "grid"), low, high (ends of a bin, weights), share (of the part's weights in
        it), n (weights in it), value (of the grid); missing where a part has none.
    """
    most = float(np.abs(weights).max()) or 1.0
    edges = np.linspace(-most, most, N_BINS + 1)
    parts = []
    for part, numbers in (("all", weights), ("these", shared)):
        counts, _edges = np.histogram(numbers, edges)
        parts.append(
            pd.DataFrame(
                {
                    "part": part, "low": edges[:-1], "high": edges[1:], "n": counts.astype(float),
                    "share": counts / max(1, numbers.size),
                }
            )
        )  # fmt: skip
    parts.append(pd.DataFrame({"part": "grid", "value": np.asarray(values, np.float64)}))
    return pd.concat(parts, ignore_index=True)


def measured(model: MeasuredModel) -> pd.DataFrame:
    """One row a scheme, in the order they were measured.

    Returns:
        bits, granularity, zero_point, outliers (share kept in float), perplexity, p_next, top (the most
        probable token), kl_bits, bits_a_weight, megabytes (of the whole model), error (of the weights,
        relative), before (perplexity of the model as it is), p_before.
    """
    return pd.DataFrame(
        [
            {
                "bits": row.scheme.bits,
                "granularity": row.scheme.granularity,
                "zero_point": not row.scheme.is_symmetric,
                "outliers": row.scheme.outliers,
                "perplexity": row.perplexity,
                "p_next": row.p_next,
                "top": row.top,
                "kl_bits": row.kl_bits,
                "bits_a_weight": row.bits_a_weight,
                "megabytes": row.n_bytes / 1e6,
                "error": row.error,
                "before": model.perplexity,
                "p_before": model.p_next,
            }
            for row in model.rows
        ]
    )


def shown(table: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Rows of `measured` with a scheme's zero point and outliers; `chosen` is true of the scheme's own."""
    same = (table["zero_point"] != scheme.is_symmetric) & ((table["outliers"] > 0) == (scheme.outliers > 0))
    rows = table[same].reset_index(drop=True)
    own = (rows["bits"] == scheme.bits) & (rows["granularity"] == scheme.granularity)
    return rows.assign(chosen=own)


def layers(errors: Iterable[tuple[int | None, bool, float]], moved: ArrayLike) -> pd.DataFrame:
    """Error by layer, of the weights and of the residual stream.

    Args:
        errors: (block from 0 or None, True in a decoder of two stacks, relative error) of each matrix.
        moved: Relative way of the residual stream after each layer. Shape [layer + 1].

    Returns:
        layer (from 1; 0 is the embedding), what ("weights", "states", "target" of a decoder beside an
        encoder), error. Weights: the mean over a block's matrices.
    """
    rows = pd.DataFrame(errors, columns=["layer", "is_target", "error"]).dropna(subset=["layer"])
    named = pd.DataFrame(
        {
            "layer": rows["layer"].astype(int) + 1,
            "what": np.where(rows["is_target"].astype(bool), "target", "weights"),
            "error": rows["error"],
        }
    )
    weights = named.groupby(["layer", "what"], sort=True)[["error"]].mean().reset_index()
    way = np.asarray(moved, np.float64)
    states = pd.DataFrame({"layer": np.arange(len(way)), "what": "states", "error": way})
    return pd.concat([weights, states], ignore_index=True)


def next_tokens(tokens: Sequence[str], before: ArrayLike, after: ArrayLike) -> pd.DataFrame:
    """Tokens beside each other before and after, a row a token and time.

    Args:
        tokens: As they are shown.
        before, after: Their probabilities. Shape [token].

    Returns:
        rank (from 1, of the token), token, time ("before", "after"), p.
    """
    rows = [
        {"rank": rank, "token": token, "time": time, "p": float(p)}
        for time, probs in (("before", before), ("after", after))
        for rank, (token, p) in enumerate(zip(tokens, np.asarray(probs, np.float64), strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=["rank", "token", "time", "p"])
