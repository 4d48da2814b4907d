"""Views of random weights, for the tests with BertViz itself and for those in Chromium."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playground.charts import bertviz

WORDS = {"heads": "헤드", "layers": "레이어", "layer": "레이어", "head": "헤드", "missing": "</script> gone"}
HOSTILE = [
    "</script>",
    "<img onload=x>",
    "\"'`${x}\\",
    "\u2028\u2029",
    "\ud800",
    "\ue000",
    "<!--",
    "PYTHON_PARAMS",
]


def random_weights(n_layers: int, n_heads: int, n_queries: int, n_keys: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(0).dirichlet(np.full(n_keys, 0.3), (n_layers, n_heads, n_queries))
    return rows.astype(np.float32)


def names(n: int) -> list[str]:
    return [f"t{place}" for place in range(n)]


def draw(view: str, weights: NDArray[np.float32], queries: Sequence[str], keys: Sequence[str]) -> str:
    if view == "head":
        return bertviz.head_view(weights, queries, keys, layer=1, words=WORDS).html
    return bertviz.model_view(weights, queries, keys, layers=[1, 2], words=WORDS).html
