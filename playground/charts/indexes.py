"""Recall of indexes against the time of a search and the bytes of a vector, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AFTER, KEY, NEUTRAL, QUERY, VALUE, legend_columns, side_by_side

Spec = dict[str, Any]
INDEXES = ("hnsw", "ivf", "pq", "lsh", "flat")
_COLOURS = (QUERY, VALUE, KEY, AFTER, NEUTRAL)
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
US, BYTES = (3, 60_000), (6, 4_000)  # fixed, so that another measurement is seen to be another
# IVF and HNSW store whole vectors: in bytes their points lie on top of each other.
_LABELLED = {"us": "true", "bytes": "datum.index === 'pq' || datum.index === 'lsh'"}


def measured(words: Mapping[str, str]) -> Spec:
    """Two panels over the same points; rows of `tables.indexes.points`.

    Args:
        words: recall, us, bytes, settings, interval, repeats, index and the name of each index, in the
            reader's language.
    """
    return side_by_side([_panel("us", US, words), _panel("bytes", BYTES, words)], spacing=24)


def _panel(field: str, domain: tuple[int, int], words: Mapping[str, str]) -> Spec:
    x = {
        "field": field, "type": "quantitative", "title": words[field],
        "scale": {"type": "log", "domain": list(domain), "clamp": True},
        "axis": {"format": "~s", "tickCount": 5, "labelOverlap": "greedy"},
    }  # fmt: skip
    y = {
        "field": "recall", "type": "quantitative", "title": words["recall"],
        "scale": {"domain": [0, 1]}, "axis": {"format": ".1f", "tickCount": 6},
    }  # fmt: skip
    return {
        "width": 330,
        "height": 320,
        "layer": [
            _exact(x),
            {"encoding": {"x": x, "y": y}, "layer": [*_lines(y, words), _points(words), _labels(field)]},
        ],
    }


def _exact(x: Spec) -> Spec:
    """The cost of exact search as a line across."""
    return {
        "transform": [{"filter": "datum.index === 'flat'"}],
        "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL, "strokeWidth": 1.5},
        "encoding": {"x": x},
    }


def _lines(y: Spec, words: Mapping[str, str]) -> list[Spec]:
    """Settings that differ in one knob as a line, and the intervals of their recall."""
    colour = _colour(words)
    return [
        {
            "mark": {"type": "line", "strokeWidth": 1.6},
            "encoding": {
                "color": colour, "detail": {"field": "line"},
                "order": {"field": "value", "type": "quantitative"},
            },
        },
        {
            "mark": {"type": "rule", "opacity": 0.6},
            "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour},
        },
    ]  # fmt: skip


def _points(words: Mapping[str, str]) -> Spec:
    colour = _colour(words)
    nominal = {"index": "index", "settings": "settings", "interval": "interval", "repeats": "repeats"}
    tooltip = [
        *({"field": one, "type": "nominal", "title": words[word]} for one, word in nominal.items()),
        {"field": "recall", "type": "quantitative", "title": words["recall"], "format": ".3f"},
        {"field": "us", "type": "quantitative", "title": words["us"], "format": ",.0f"},
        {"field": "bytes", "type": "quantitative", "title": words["bytes"], "format": ",.0f"},
    ]
    shape = {**colour, "scale": {"domain": list(INDEXES), "range": list(_SHAPES)}}
    return {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {"color": colour, "shape": shape, "tooltip": tooltip},
    }


def _labels(field: str) -> Spec:
    return {
        "transform": [{"filter": _LABELLED[field]}],
        "mark": {"type": "text", "dx": 8, "dy": 3, "fontSize": 11, "align": "left", "color": NEUTRAL},
        "encoding": {"text": {"field": "label", "type": "nominal"}},
    }


def _colour(words: Mapping[str, str]) -> Spec:
    """The same in every layer: one without a legend would take it from all."""
    names = json.dumps({name: words[name] for name in INDEXES}, ensure_ascii=False)
    return {
        "field": "index", "type": "nominal", "scale": {"domain": list(INDEXES), "range": list(_COLOURS)},
        "legend": {
            "orient": "top", "title": None, "labelExpr": f"({names})[datum.value]", "symbolSize": 110,
            "labelFontSize": 13, "columns": legend_columns(3, narrow=2), "labelLimit": 260,
        },
    }  # fmt: skip
