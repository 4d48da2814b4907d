"""The ways to adapt a model as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from playground.core.adapting import WayPoint

WAYS = ("method", "who", "size", "n_trained", "held_out", "first", "step", "time")


def ways(points: Sequence[tuple[str, WayPoint]]) -> pd.DataFrame:
    """One row per trained way.

    Args:
        points: Who trained it (shipped or mine), and the point.

    Returns:
        method, who, size, n_trained, held_out and first (nats a token), step, time (relative to the base's,
        missing where it was not measured).
    """
    rows = [
        (one.method, who, one.size, one.n_trained, one.held_out, one.first, one.step, one.token_s)
        for who, one in points
    ]
    return pd.DataFrame(rows, columns=list(WAYS)).astype({"time": "float64"})
