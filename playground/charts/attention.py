"""Pictures of attention: a map of weights, and the attention mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AMOUNTS, CUT, KEY, legend_columns

Spec = dict[str, Any]
TICKS = [0, 0.05, 0.25, 0.5, 1]


def mask(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of the attention mask; rows of `tables.attention.mean_map`.

    Args:
        words: query, key, may, must_not in the reader's language.
    """
    names = f"datum.label === 'true' ? {_quoted(words['may'])} : {_quoted(words['must_not'])}"
    color = {
        "field": "allowed",
        "type": "nominal",
        "title": None,
        "scale": {"domain": [True, False], "range": [KEY, f"{CUT}40"]},
        "legend": {"orient": "top", "columns": legend_columns(), "labelExpr": names, "symbolType": "square"},
    }
    encoding = {
        "x": _axis("key", None, "bottom", labels=False),
        "y": _axis("query", words["query"], "left", labels=False),
        "color": color,
        "tooltip": _tooltip(words)[:2],
    }
    return {"height": 210, "mark": {"type": "rect"}, "encoding": encoding}


def mean_map(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of a layer's mean weights, masked cells left out; rows of `tables.attention.mean_map`.

    The scale is the square root, from 0 to 1 at every layer, so that small weights show.

    Args:
        words: query, key, weight in the reader's language.
    """
    color = {
        "field": "weight",
        "type": "quantitative",
        "title": words["weight"],
        "scale": {"type": "sqrt", "domain": [0, 1], "range": AMOUNTS},
        "legend": {"orient": "bottom", "gradientLength": 240, "values": TICKS, "format": ".2~f"},
    }
    encoding = {
        "x": _axis("key", words["key"], "top"),
        "y": _axis("query", words["query"], "left"),
        "color": color,
        "tooltip": _tooltip(words),
    }
    transform = [{"filter": "datum.allowed"}]
    return {"height": 470, "transform": transform, "mark": {"type": "rect"}, "encoding": encoding}


def _axis(name: str, title: str | None, orient: str, *, labels: bool = True) -> Spec:
    axis = {"orient": orient, "labels": labels, "ticks": False, "domain": False, "grid": False}
    if labels:
        axis |= {"labelOverlap": "greedy", "labelLimit": 90, "labelAngle": -60 if name == "key" else 0}
    sort = {"field": name, "op": "min"}
    return {"field": f"{name}_token", "type": "ordinal", "title": title, "sort": sort, "axis": axis}


def _tooltip(words: Mapping[str, str]) -> list[Spec]:
    return [
        {"field": "query_token", "type": "nominal", "title": words["query"]},
        {"field": "key_token", "type": "nominal", "title": words["key"]},
        {"field": "weight", "type": "quantitative", "title": words.get("weight"), "format": ".4f"},
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "").replace("'", "\\'") + "'"
