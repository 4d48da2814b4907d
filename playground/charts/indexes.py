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
    return {
        **side_by_side([_panel("us", US, words), _panel("bytes", BYTES, words)], spacing=24),
        "config": {"legend": {"labelFontSize": 13}},
    }


def _panel(field: str, domain: tuple[int, int], words: Mapping[str, str]) -> Spec:
    names = json.dumps({name: words[name] for name in INDEXES}, ensure_ascii=False)
    x = {
        "field": field, "type": "quantitative", "title": words[field],
        "scale": {"type": "log", "domain": list(domain), "clamp": True},
        "axis": {"format": "~s", "tickCount": 5, "labelOverlap": "greedy"},
    }  # fmt: skip
    y = {
        "field": "recall", "type": "quantitative", "title": words["recall"],
        "scale": {"domain": [0, 1]}, "axis": {"format": ".1f", "tickCount": 6},
    }  # fmt: skip
    colour = {
        "field": "index", "type": "nominal",
        "scale": {"domain": list(INDEXES), "range": list(_COLOURS)},
        "legend": {
            "orient": "top", "title": None, "labelExpr": f"({names})[datum.value]", "symbolSize": 110,
            "columns": legend_columns(narrow=3), "labelLimit": 260,
        },
    }  # fmt: skip
    shape = {**colour, "scale": {"domain": list(INDEXES), "range": list(_SHAPES)}}
    tooltip = [
        {"field": "index", "type": "nominal", "title": words["index"]},
        {"field": "settings", "type": "nominal", "title": words["settings"]},
        {"field": "recall", "type": "quantitative", "title": words["recall"], "format": ".3f"},
        {"field": "interval", "type": "nominal", "title": words["interval"]},
        {"field": "us", "type": "quantitative", "title": words["us"], "format": ",.0f"},
        {"field": "repeats", "type": "nominal", "title": words["repeats"]},
        {"field": "bytes", "type": "quantitative", "title": words["bytes"], "format": ",.0f"},
    ]
    return {
        "width": 330,
        "height": 320,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "transform": [{"filter": "datum.index === 'flat'"}],
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL, "strokeWidth": 1.5},
                "encoding": {"x": x, "y": None},
            },
            {
                "mark": {"type": "line", "strokeWidth": 1.6},
                "encoding": {
                    "color": {**colour, "legend": None}, "detail": {"field": "line"},
                    "order": {"field": "value", "type": "quantitative"},
                },
            },
            {
                "mark": {"type": "rule", "opacity": 0.6},
                "encoding": {
                    "y": {**y, "field": "low"}, "y2": {"field": "high"},
                    "color": {**colour, "legend": None},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"color": colour, "shape": shape, "tooltip": tooltip},
            },
            {
                "transform": [{"filter": _LABELLED[field]}],
                "mark": {
                    "type": "text", "dx": 8, "dy": 3, "fontSize": 11, "align": "left", "color": NEUTRAL,
                },
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }  # fmt: skip
