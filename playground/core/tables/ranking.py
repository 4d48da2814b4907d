"""Tables of measured searches; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import pandas as pd

from playground.core.metrics.ranking import Ranked, ranking_figures

Name = Literal["hit", "mrr", "ndcg"]


def figures(groups: Iterable[tuple[str, str, Sequence[Ranked]]], k: int, name: Name) -> pd.DataFrame:
    """A figure of each group of questions and way of searching, with its 95 % interval.

    Args:
        groups: Group, way of searching, and what was found for each question; empty groups are left out.
        k: First ranks that count.
        name: Hit rate, MRR or nDCG.
    """
    rows = []
    for group, way, found in groups:
        if found:
            all_figures = ranking_figures(found, k)
            one = {"hit": all_figures.hit, "mrr": all_figures.mrr, "ndcg": all_figures.ndcg}[name]
            rows.append((group, way, all_figures.n, one.value, one.low, one.high))
    return pd.DataFrame(rows, columns=["group", "way", "n", "value", "low", "high"])
