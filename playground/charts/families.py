"""Pictures of the page Families: states that moved, accuracies of one job done three ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AMOUNTS,
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
STACKS = ("encoder", "decoder", "source", "target")
FAMILIES = ("encoder", "decoder", "encoder-decoder")
GROUPS = ("all", "en", "ko")
TICKS = [0, 0.05, 0.25, 0.5, 1]


def moved(words: Mapping[str, str]) -> Spec:
    """Change of every state, a panel for each stack; rows of `tables.families.moved`.

    The scale is the square root, from 0 to 1 of the state's own length; states that did not move are grey.

    Args:
        words: layer, token, change, still, place, and the name of each stack, in the reader's language.
    """
    return {
        **side_by_side([_stack(stack, words) for stack in STACKS], spacing=10),
        "config": LOCALE,
    }


def _stack(stack: str, words: Mapping[str, str]) -> Spec:
    fill = {
        "field": "change",
        "type": "quantitative",
        "title": words["change"],
        "scale": {"type": "sqrt", "domain": [0, 1], "range": AMOUNTS, "clamp": True},
        "legend": {"orient": "bottom", "gradientLength": 240, "values": TICKS, "format": "%"},
    }
    still = {
        "field": "moved",
        "type": "nominal",
        "scale": {"domain": [False], "range": [CUT]},
        "legend": {
            "orient": "top", "title": None, "symbolType": "square", "symbolFillColor": f"{CUT}66",
            "symbolSize": 160, "labelLimit": 300, "labelExpr": json.dumps(words["still"], ensure_ascii=False),
        },
    }  # fmt: skip
    tooltip = [
        {"field": "token", "type": "nominal", "title": words["token"]},
        {"field": "layer", "type": "quantitative", "title": words["layer"]},
        {"field": "change", "type": "quantitative", "title": words["change"], "format": ".3~e"},
    ]
    return {
        "title": {"text": words[stack], "fontSize": 14, "anchor": "start"},
        "width": 112,
        "height": 300,
        "transform": [{"filter": f"datum.stack === '{stack}'"}],
        "encoding": {
            "x": {
                "field": "layer", "type": "ordinal", "title": words["layer"],
                "axis": {"labelAngle": 0, "labelOverlap": "greedy", "ticks": False, "domain": False},
            },
            "y": {
                "field": "token", "type": "ordinal", "title": None,
                "sort": {"field": "position", "op": "min"},
                "axis": {"labelOverlap": "greedy", "labelLimit": 72, "ticks": False, "domain": False},
            },
            "tooltip": tooltip,
        },
        "layer": [
            {
                "transform": [{"filter": "datum.moved"}],
                "mark": {"type": "rect"},
                "encoding": {"fill": fill},
            },
            {
                "transform": [{"filter": "!datum.moved"}],
                "mark": {"type": "rect", "fill": f"{CUT}66", "strokeWidth": 0},
                "encoding": {"stroke": still},
            },
        ],
    }  # fmt: skip


def accuracies(words: Mapping[str, str]) -> Spec:
    """Accuracy of each family on all items and by language; rows of `tables.families.accuracies`.

    Args:
        words: accuracy, low, high, n_right, n, chance, the name of each family and of each group of items, in
            the reader's language.
    """
    families = f"({_json({family: words[family] for family in FAMILIES})})[datum.value]"
    groups = f"({_json({group: words[group] for group in GROUPS})})[datum.value]"
    x = {
        "field": "family", "type": "nominal", "title": None, "scale": {"domain": list(FAMILIES)},
        "axis": {"labelExpr": families, "labelAngle": 0, "labelFontSize": 13, "labelLimit": 200},
    }  # fmt: skip
    offset = {"field": "language", "type": "nominal", "scale": {"domain": list(GROUPS)}}
    y = {
        "field": "accuracy", "type": "quantitative", "title": words["accuracy"],
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    legend = {
        "title": None,
        "orient": "top",
        "labelExpr": groups,
        "columns": legend_columns(),
        "symbolSize": 140,
    }
    named = {"field": "language", "type": "nominal", "legend": legend}
    color = named | {"scale": {"domain": list(GROUPS), "range": [QUERY, KEY, VALUE]}}
    shape = named | {"scale": {"domain": list(GROUPS), "range": ["circle", "square", "diamond"]}}
    tooltip = [
        {"field": name, "type": "quantitative", "title": words[name], "format": PERCENT}
        for name in ("accuracy", "low", "high")
    ] + [{"field": name, "type": "quantitative", "title": words[name]} for name in ("n_right", "n")]
    shared = {"x": x, "xOffset": offset, "color": color, "tooltip": tooltip}
    span = {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    return {
        "height": 260,
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL},
                "encoding": {"y": {"datum": 0.5, "type": "quantitative"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "dy": -7, "color": NEUTRAL},
                "encoding": {
                    "x": {"value": 0}, "y": {"datum": 0.5, "type": "quantitative"},
                    "text": {"value": words["chance"]},
                },
            },
            {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": shared | span},
            {
                "mark": {"type": "point", "filled": True, "size": 140, "opacity": 1},
                "encoding": shared | {"y": y, "shape": shape},
            },
        ],
        "config": LOCALE,
    }  # fmt: skip


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)
