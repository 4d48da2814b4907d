"""Tables of the attention page; column names stand here only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.attention import RowArithmetic, row_weights


def row(labels: Sequence[str], arithmetic: RowArithmetic, divisor: float) -> pd.DataFrame:
    """One row of one head, one line per key.

    Args:
        labels: Labels of the keys. Length [key].
        arithmetic: From `core.attention.row_arithmetic`.
        divisor: Divisor of the scores that the reader chose instead of √d_head.

    Returns:
        key, token, score (q·k), scaled (/ √d_head), mask (0 or -inf), weight, written (length of what it adds
        to the residual stream), divided (/ divisor), divided_weight, and product_0, ... (q·k by dimension).
    """
    allowed = np.isfinite(arithmetic.scaled)
    d_head = arithmetic.products.shape[1]
    table = pd.DataFrame(
        {
            "key": np.arange(len(labels)),
            "token": list(labels),
            "score": arithmetic.scores,
            "scaled": arithmetic.scores / np.sqrt(d_head),
            "mask": np.where(allowed, 0.0, -np.inf),
            "weight": arithmetic.weights,
            "written": arithmetic.written,
            "divided": arithmetic.scores / divisor,
            "divided_weight": row_weights(arithmetic.scores, allowed, divisor),
        }
    )
    products = pd.DataFrame(arithmetic.products, columns=[f"product_{i}" for i in range(d_head)])
    return pd.concat([table, products], axis=1)


def mean_map(labels: Sequence[str], weights: NDArray[np.float32], allowed: NDArray[np.bool_]) -> pd.DataFrame:
    """A layer's attention, mean of its heads, and its mask.

    Args:
        labels: Labels of the tokens. Length [position].
        weights: Attention weights of one layer. Shape [head, query, key].
        allowed: True where the query may look at the key. Shape [query, key].

    Returns:
        query, key, query_token and key_token (with the position, so that no two are the same), allowed,
        weight.
    """
    n = len(labels)
    query, key = (axis.ravel() for axis in np.indices((n, n)))
    names = np.array([f"{position}: {label}" for position, label in enumerate(labels)])
    return pd.DataFrame(
        {
            "query": query,
            "key": key,
            "query_token": names[query],
            "key_token": names[key],
            "allowed": allowed.ravel(),
            "weight": weights.mean(axis=0, dtype=np.float64).ravel(),
        }
    )


def weights(
    attentions: NDArray[np.floating], layers: Sequence[int], queries: Sequence[str], keys: Sequence[str]
) -> pd.DataFrame:
    """Attention weights of some layers, one row per weight.

    Args:
        attentions: Weights of all layers. Shape [layer, head, query, key].
        layers: The layers of the table, from 0.
        queries, keys: Label of each token.

    Returns:
        layer and head (both counted from 1, as on the page), query_position, query, key_position, key,
        weight (4 decimals).

    Example:
        >>> weights(np.full((2, 1, 1, 2), 0.5), [1], ["b"], ["a", "b"])["key"].tolist()
        ['a', 'b']
    """
    chosen = attentions[list(layers)]
    layer, head, query, key = (axis.ravel() for axis in np.indices(chosen.shape))
    return pd.DataFrame(
        {
            "layer": np.array(layers)[layer] + 1,
            "head": head + 1,
            "query_position": query,
            "query": np.array(queries, dtype=object)[query],
            "key_position": key,
            "key": np.array(keys, dtype=object)[key],
            "weight": chosen.astype(np.float64).round(4).ravel(),
        }
    )
