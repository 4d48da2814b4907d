"""Tables of indexes: the neighbours of a question, and measured points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from playground.core.indexes.found import Places, Vectors
from playground.core.indexes.measured import Point


def neighbours(chunks: Sequence[str], distances: Vectors, exact: Places, found: Places) -> pd.DataFrame:
    """The chunks of both answers, nearest first.

    Args:
        chunks: Texts.
        distances: Squared distance of each chunk's vector, of length 1, to the query's. Shape [chunk].
        exact, found: Chunks of the exact answer, and of the index's. Shape [k] each.

    Returns:
        chunk (from 1), squared_distance, cosine, exact, found, text.
    """
    places = np.unique(np.concatenate([exact, found]))
    places = places[np.lexsort((places, distances[places]))]
    return pd.DataFrame(
        {
            "chunk": places + 1,
            "squared_distance": distances[places],
            "cosine": 1 - distances[places] / 2,
            "exact": np.isin(places, exact),
            "found": np.isin(places, found),
            "text": [chunks[place] for place in places],
        }
    )


def points(measured: Iterable[Point]) -> pd.DataFrame:
    """Measured points, one row each.

    Returns:
        index, line (points with the same one differ in one knob only), settings, knob, value, recall, low,
        high, us, us_low, us_high, bytes, build_s.
    """
    rows = [
        {
            "index": point.index,
            "line": line_of(point),
            "settings": settings_of(point),
            "knob": point.knob,
            "value": point.value,
            "recall": point.recall,
            "low": point.recall_low,
            "high": point.recall_high,
            "us": point.us,
            "us_low": point.us_low,
            "us_high": point.us_high,
            "bytes": point.bytes_a_vector,
            "build_s": point.build_s,
        }
        for point in measured
    ]
    return pd.DataFrame(rows)


def drawn(measured: Sequence[Point], exact: str) -> pd.DataFrame:
    """The rows of `points` as a picture has them.

    Args:
        measured: The points.
        exact: Words beside the point of exact search.

    Returns:
        As `points`, and label (beside the point, "" for most), interval, repeats.
    """
    table = points(measured)
    return table.assign(
        label=[_label(point, measured, exact) for point in measured],
        interval=[f"{low:.3f} – {high:.3f}" for low, high in zip(table.low, table.high, strict=True)],
        repeats=[f"{low:,.0f} – {high:,.0f}" for low, high in zip(table.us_low, table.us_high, strict=True)],
    )


def _label(point: Point, measured: Sequence[Point], exact: str) -> str:
    """The knob at both ends of a line; of the lines of HNSW, which lie close, all settings at one end."""
    if point.index == "flat":
        return exact
    values = [other.value for other in measured if (other.index, other.built) == (point.index, point.built)]
    if point.index == "hnsw":
        return settings_of(point) if point.value == min(values) else ""
    return str(point.value) if point.value in (min(values), max(values)) else ""


def settings_of(point: Point) -> str:
    """All settings of a point.

    Example:
        >>> settings_of(Point("hnsw", (("M", 16),), "ef", 64, 1, 1, 1, 9, 9, 9, 1_668, 0))
        'M 16, ef 64'
    """
    settings = dict(point.built) | ({point.knob: point.value} if point.knob else {})
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def line_of(point: Point) -> str:
    """The line that a point lies on: its index, and those of its settings that do not move along it."""
    fixed = [f"{name} {value}" for name, value in point.built if name != point.knob]
    return " ".join([point.index, *fixed])
