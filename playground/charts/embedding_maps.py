"""Maps of vectors: words by group, one word in many sentences; cosine matrix, separation by layer.

Vega-Lite dicts with a constant specification; the rows come beside them, so a chart is updated in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.charts.embeddings import INK, PAPER, THREE_DIGITS
from playground.charts.labels import leaders, place_labels
from playground.charts.theme import AFTER, AMOUNTS, CUT, QUERY, legend_columns, side_by_side

GROUPS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A929B", "#A6761D")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "wedge")


_GROUP_MAP = (350.0, 300.0)  # pixels
_CONTEXT_MAP = (400.0, 270.0)
_FONT = 12.5


def group_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `tables.embeddings.maps` with the coordinates that `group_maps` draws.

    Returns:
        The rows with name (of the group: its number and first word) and, in pixels, drawn_x, drawn_y (the
        point), label_x, label_y (left middle of its word), end_x, end_y (of a line to the word).
    """
    parts = []
    for _map, rows in frame.groupby("map", sort=False):
        points = rows[["x", "y"]].to_numpy(np.float64)
        low, span = points.min(axis=0), np.ptp(points, axis=0)
        share = np.where(span > 0, (points - low) / np.where(span > 0, span, 1), 0.5)
        parts.append(_named(rows, share, rows["label"].tolist(), _GROUP_MAP))
    drawn = pd.concat(parts)
    first = drawn.groupby("group")["label"].transform("first")
    drawn["name"] = drawn["group"].astype(str) + ": " + first + " …"
    return drawn


def context_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `tables.embeddings.context_map` with the coordinates that `context_map` draws, for this layer.

    Returns:
        The rows with drawn_x, drawn_y, label_x, label_y, end_x, end_y, as `group_points`.
    """
    points = frame[["x", "y"]].to_numpy(np.float64)
    extent = float(np.abs(points).max(initial=0)) or 1.0
    return _named(frame, 0.5 + points / extent / 2, [str(n) for n in frame["number"]], _CONTEXT_MAP)


def _named(
    rows: pd.DataFrame, share: NDArray[np.float64], labels: list[str], size: tuple[float, float]
) -> pd.DataFrame:
    """The rows with the places of points and labels; share [n, 2] of width and of height (from below)."""
    margin = np.array([22.0, 16.0])
    points = margin + np.stack([share[:, 0], 1 - share[:, 1]], axis=1) * (np.array(size) - 2 * margin)
    left_middles = place_labels(points, labels, size=size, font=_FONT)
    ends = leaders(points, left_middles, labels, font=_FONT)
    columns = ("drawn_x", "drawn_y", "label_x", "label_y", "end_x", "end_y")
    return rows.assign(**dict(zip(columns, np.hstack([points, left_middles, ends]).T, strict=True)))


def _layers(
    size: tuple[float, float], text: str, colour: Mapping[str, Any], tooltip: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Thin lines to words that stand apart, points, words."""

    def at(x: str, y: str) -> dict[str, Any]:
        axis = {"labels": False, "ticks": False, "title": None, "grid": False}
        shared = {"type": "quantitative", "axis": axis}
        return {
            "x": {"field": x, "scale": {"domain": [0, size[0]], "nice": False}} | shared,
            "y": {"field": y, "scale": {"domain": [size[1], 0], "nice": False}} | shared,
        }

    shape = {**colour, "scale": {"range": list(SHAPES)}}
    to = {"x2": {"field": "end_x"}, "y2": {"field": "end_y"}}
    return [
        {
            "mark": {"type": "rule", "color": CUT, "strokeWidth": 0.9},
            "encoding": at("drawn_x", "drawn_y") | to,
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.9},
            "encoding": at("drawn_x", "drawn_y") | {"color": colour, "shape": shape, "tooltip": tooltip},
        },
        {
            "mark": {"type": "text", "align": "left", "fontSize": _FONT, "color": INK},
            "encoding": at("label_x", "label_y") | {"text": {"field": text}},
        },
    ]


def group_maps(maps: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    """Maps of the same words beside each other, every word written near its place; rows of `group_points`.

    Args:
        maps: Map -> its title, in order.
        words: group in the reader's language.
    """
    colour = {
        "field": "name",
        "type": "nominal",
        "title": words["group"],
        "scale": {"range": list(GROUPS)},
        "legend": {"orient": "bottom", "columns": legend_columns(4, 2), "labelLimit": 180},
    }
    tooltip = [{"field": "label"}, {"field": "name", "title": words["group"]}]
    parts = [
        {
            "transform": [{"filter": f"datum.map === '{name}'"}],
            "title": {"text": title, "fontSize": 14, "anchor": "start", "fontWeight": 600},
            "width": _GROUP_MAP[0],
            "height": _GROUP_MAP[1],
            "layer": _layers(_GROUP_MAP, "label", colour, tooltip),
        }
        for name, title in maps.items()
    ]
    return side_by_side(parts, 24)


def context_map(words: Mapping[str, str]) -> dict[str, Any]:
    """Occurrences of one word as numbered points, rows of `context_points`; a constant specification.

    Args:
        words: sense, sentence in the reader's language.
    """
    colour = {
        "field": "sense",
        "type": "ordinal",
        "title": words["sense"],
        "scale": {"range": list(GROUPS)},
        "legend": {"orient": "bottom", "direction": "horizontal"},
    }
    tooltip = [{"field": "sentence", "title": words["sentence"]}, {"field": "sense", "title": words["sense"]}]
    return {"height": 330, "layer": _layers(_CONTEXT_MAP, "number", colour, tooltip)}


def cosine_matrix(words: Mapping[str, str], lowest: float) -> dict[str, Any]:
    """Cosine of every two occurrences, the colour from `lowest` to 1, the number in each cell.

    Args:
        words: cosine in the reader's language.
        lowest: Start of the colours: the smallest cosine at any layer.
    """
    axis = {"labelAngle": 0, "title": None, "ticks": False, "domain": False}
    place = {
        "x": {"field": "column", "type": "ordinal", "axis": axis | {"orient": "top"}},
        "y": {"field": "row", "type": "ordinal", "axis": axis},
    }
    colour = {
        "field": "cosine",
        "type": "quantitative",
        "scale": {"range": AMOUNTS, "domain": [lowest, 1], "clamp": True},
        "title": words["cosine"],
        "legend": {"orient": "bottom", "gradientLength": 200, "format": ".2~f"},
    }
    tooltip = [
        {"field": "row"},
        {"field": "column"},
        {"field": "cosine", "title": words["cosine"], "format": THREE_DIGITS},
    ]
    cell = {"mark": {"type": "rect"}, "encoding": place | {"color": colour, "tooltip": tooltip}}
    ink = {
        "condition": {"test": f"datum.cosine > {lowest + 0.5 * (1 - lowest)}", "value": PAPER},
        "value": INK,
    }
    number = {
        "transform": [
            {"joinaggregate": [{"op": "max", "field": "row", "as": "n"}]},
            {"filter": "datum.n <= 12"},
        ],
        "mark": {"type": "text", "fontSize": 11},
        "encoding": place | {"text": {"field": "cosine", "format": ".2f"}, "color": ink},
    }
    return {"height": 300, "layer": [cell, number]}


def separation_curve(words: Mapping[str, str]) -> dict[str, Any]:
    """Separation of the senses at each layer, a point for the chosen one; the axis never moves.

    Args:
        words: layer, separation in the reader's language.
    """
    place = {
        "x": {
            "field": "layer",
            "type": "quantitative",
            "title": words["layer"],
            "axis": {"tickMinStep": 1, "format": "d"},
        },
        "y": {
            "field": "separation",
            "type": "quantitative",
            "title": words["separation"],
            "scale": {"domain": [-0.4, 1]},
        },
    }
    tooltip = [
        {"field": "layer", "title": words["layer"]},
        {"field": "separation", "title": words["separation"], "format": THREE_DIGITS},
    ]
    zero = {
        "mark": {"type": "rule", "color": CUT, "strokeDash": [5, 4]},
        "encoding": {"y": {"datum": 0}},
    }
    line = {"mark": {"type": "line", "color": QUERY, "strokeWidth": 2.5}, "encoding": place}
    dots = {
        "mark": {"type": "circle", "color": QUERY, "size": 40, "opacity": 1},
        "encoding": place | {"tooltip": tooltip},
    }
    now = {
        "transform": [{"filter": "datum.now"}],
        "mark": {"type": "point", "filled": True, "color": AFTER, "size": 130, "opacity": 1},
        "encoding": place | {"tooltip": tooltip},
    }
    return {"height": 190, "layer": [zero, line, dots, now]}
