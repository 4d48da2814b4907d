"""Attention weights as a tidy table; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def weights(
    attentions: NDArray[np.floating], layers: Sequence[int], queries: Sequence[str], keys: Sequence[str]
) -> pd.DataFrame:
    """One row a weight.

    Args:
        attentions: Of all layers. Shape [layer, head, query, key].
        layers: Which ones.
        queries, keys: Label of each token.

    Returns:
        layer, head, query_position, query, key_position, key, weight (4 decimals).

    Example:
        >>> weights(np.full((2, 1, 1, 2), 0.5), [1], ["b"], ["a", "b"])["key"].tolist()
        ['a', 'b']
    """
    chosen = attentions[list(layers)]
    layer, head, query, key = (axis.ravel() for axis in np.indices(chosen.shape))
    return pd.DataFrame(
        {
            "layer": np.array(layers)[layer],
            "head": head,
            "query_position": query,
            "query": np.array(queries, dtype=object)[query],
            "key_position": key,
            "key": np.array(keys, dtype=object)[key],
            "weight": chosen.astype(np.float64).round(4).ravel(),
        }
    )
