"""Pictures of quantization: weights under their grid, measured perplexity, error by layer, next tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    CUT,
    KEY,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
    side_by_side,
)

Spec = dict[str, Any]
GRANULARITIES = ("tensor", "channel", "group")
_COLOURS, _SHAPES = (AFTER, KEY, VALUE), ("circle", "square", "triangle-up")
PERPLEXITY = (10, 1_000_000)  # fixed; what is beyond stands at the edge
BITS = (8, 4, 3, 2)
_POWERS = [10, 100, 1_000, 10_000, 100_000, 1_000_000]


def grid(words: Mapping[str, str], most: float) -> Spec:
    """A histogram of weights with the grid laid over; rows of `tables.quantization.grid`.

    Args:
        words: weight, share, n, all, these, grid, in the reader's language.
        most: Largest weight by size: the axis ends there, whatever the grid.
    """
    x = {
        "field": "low", "type": "quantitative", "title": words["weight"],
        "scale": {"domain": [-most, most], "nice": False}, "axis": {"tickCount": 7, "format": "~r"},
    }  # fmt: skip
    y = {
        "field": "share", "type": "quantitative", "title": words["share"], "stack": None,
        "scale": {"zero": True}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    names = {part: words[part] for part in ("all", "these", "grid")}
    color = {
        "field": "part", "type": "nominal",
        "scale": {"domain": list(names), "range": [CUT, BEFORE, AFTER]},
        "legend": {
            "title": None, "orient": "top", "labelExpr": _named(names), "columns": legend_columns(narrow=1),
            "labelLimit": 320, "symbolType": "square",
        },
    }  # fmt: skip
    bars = {
        "transform": [{"filter": "datum.part !== 'grid'"}],
        "mark": {"type": "rect", "opacity": 0.6},
        "encoding": {
            "x": x, "x2": {"field": "high"}, "y": y, "y2": {"datum": 0}, "color": color,
            "tooltip": [
                {"field": "low", "type": "quantitative", "title": words["weight"], "format": ".3~r"},
                {"field": "n", "type": "quantitative", "title": words["n"], "format": ",d"},
                {"field": "share", "type": "quantitative", "title": words["share"], "format": PERCENT},
            ],
        },
    }  # fmt: skip
    lines = {
        "transform": [{"filter": "datum.part === 'grid'"}],
        "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.75, "clip": True},
        "encoding": {
            "x": x | {"field": "value"}, "color": color,
            "tooltip": [{"field": "value", "type": "quantitative", "title": words["grid"], "format": ".3~r"}],
        },
    }  # fmt: skip
    return {"height": 360, "layer": [bars, lines], "config": LOCALE}


def measured(words: Mapping[str, str]) -> Spec:
    """Perplexity and the next token's probability against bits; rows of `tables.quantization.shown`.

    Args:
        words: bits, perplexity, p_next, bits_a_weight, megabytes, top, before, and the name of each
            granularity, in the reader's language.
    """
    return side_by_side(
        [
            _panel("perplexity", "before", {"type": "log", "domain": list(PERPLEXITY), "clamp": True}, words),
            _panel("p_next", "p_before", {"domain": [0, 1]}, words),
        ],
        spacing=24,
    ) | {"config": LOCALE}


def _panel(field: str, before: str, scale: Spec, words: Mapping[str, str]) -> Spec:
    is_share = field == "p_next"
    x = {
        "field": "bits", "type": "ordinal", "title": words["bits"], "scale": {"domain": list(BITS)},
        "axis": {"labelAngle": 0},
    }  # fmt: skip
    y = {
        "field": field, "type": "quantitative", "title": words[field], "scale": scale,
        "axis": {"format": "%", "tickCount": 6} if is_share else {"format": "~s", "values": _POWERS},
    }  # fmt: skip
    names = {one: words[one] for one in GRANULARITIES}
    legend = {
        "title": None, "orient": "top", "labelExpr": _named(names), "symbolSize": 110,
        "columns": legend_columns(3, narrow=1), "labelLimit": 260,
    }  # fmt: skip
    which = {"field": "granularity", "type": "nominal", "legend": legend}
    color = which | {"scale": {"domain": list(names), "range": list(_COLOURS)}}
    shape = which | {"scale": {"domain": list(names), "range": list(_SHAPES)}}
    rule = {
        "mark": {"type": "rule", "strokeDash": [5, 4], "color": QUERY, "strokeWidth": 1.5},
        "encoding": {"y": y | {"field": before, "aggregate": "mean"}},
    }
    label = {
        "mark": {"type": "text", "align": "right", "dy": -8, "color": NEUTRAL, "fontSize": 12},
        "encoding": {
            "y": y | {"field": before, "aggregate": "mean"}, "x": {"value": 266},
            "text": {"value": words["before"]},
        },
    }  # fmt: skip
    line = {
        "mark": {"type": "line", "strokeWidth": 1.8},
        "encoding": {
            "x": x, "y": y, "color": color, "order": {"field": "bits", "type": "quantitative"},
        },
    }  # fmt: skip
    points = {
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": {
            "x": x, "y": y, "color": color, "shape": shape,
            "size": {"condition": {"test": "datum.chosen", "value": 260}, "value": 80},
            "tooltip": _tooltip(words),
        },
    }  # fmt: skip
    return {"width": 274, "height": 260, "layer": [rule, label, line, points]}


def _tooltip(words: Mapping[str, str]) -> list[Spec]:
    formats = {
        "bits": "d", "perplexity": ",.4~g", "p_next": PERCENT, "bits_a_weight": ".3~f", "megabytes": ",.0f",
    }  # fmt: skip
    found: list[Spec] = [
        {"field": name, "type": "quantitative", "title": words[name], "format": form}
        for name, form in formats.items()
    ]
    return [*found, {"field": "top", "type": "nominal", "title": words["top"]}]


def layers(words: Mapping[str, str], n_layer: int, *, has_target: bool) -> Spec:
    """Error by layer of weights and states; rows of `tables.quantization.layers`.

    Args:
        words: layer, error, weights, states, target, in the reader's language.
        n_layer: Blocks of the longer stack.
        has_target: True where the model has a decoder beside its encoder.
    """
    names = {part: words[part] for part in ("weights", "states", *(["target"] if has_target else []))}
    which = {
        "field": "what", "type": "nominal",
        "legend": {
            "title": None, "orient": "top", "labelExpr": _named(names), "columns": legend_columns(narrow=1),
            "labelLimit": 320, "symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 2,
        },
    }  # fmt: skip
    x = {
        "field": "layer", "type": "quantitative", "title": words["layer"],
        "scale": {"domain": [0, n_layer], "nice": False}, "axis": {"tickMinStep": 1, "format": "d"},
    }  # fmt: skip
    y = {
        "field": "error", "type": "quantitative", "title": words["error"], "scale": {"zero": True},
        "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    return {
        "height": 360,
        "mark": {"type": "line", "point": {"size": 50, "filled": True}, "strokeWidth": 1.8},
        "encoding": {
            "x": x, "y": y,
            "color": which | {"scale": {"domain": list(names), "range": [AFTER, QUERY, VALUE][: len(names)]}},
            "strokeDash": which
            | {"scale": {"domain": list(names), "range": [[1, 0], [6, 3], [2, 2]][: len(names)]}},
            "tooltip": [
                {"field": "layer", "type": "quantitative", "title": words["layer"], "format": "d"},
                {"field": "error", "type": "quantitative", "title": words["error"], "format": PERCENT},
            ],
        },
        "config": LOCALE,
    }  # fmt: skip


def next_tokens(words: Mapping[str, str]) -> Spec:
    """Next tokens before and after beside each other; rows of `tables.quantization.next_tokens`.

    Args:
        words: token, p, before, after, in the reader's language.
    """
    names = {time: words[time] for time in ("before", "after")}
    y = {
        "field": "token", "type": "nominal", "title": words["token"],
        "sort": {"field": "rank", "op": "min"},
        "axis": {"labelLimit": 120, "labelFont": "monospace", "labelFontSize": 13, "labelOverlap": False},
    }  # fmt: skip
    x = {
        "field": "p", "type": "quantitative", "title": words["p"], "scale": {"domain": [0, 1]},
        "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    time = {"field": "time", "type": "nominal"}
    return {
        "height": 360,
        "mark": {"type": "bar"},
        "encoding": {
            "x": x, "y": y,
            "yOffset": time | {"scale": {"domain": list(names)}},
            "color": time
            | {
                "scale": {"domain": list(names), "range": [BEFORE, AFTER]},
                "legend": {
                    "title": None, "orient": "top", "labelExpr": _named(names),
                    "columns": legend_columns(narrow=1), "labelLimit": 320,
                },
            },
            "tooltip": [
                {"field": "token", "type": "nominal", "title": words["token"]},
                {"field": "p", "type": "quantitative", "title": words["p"], "format": PERCENT},
            ],
        },
        "config": LOCALE,
    }  # fmt: skip


def _named(names: Mapping[str, str]) -> str:
    return f"({json.dumps(names, ensure_ascii=False)})[datum.value]"
