"""Picture of one labelled set answered in several ways: accuracy, what it costs, the line of guessing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import CUT, KEY, LOCALE, NEUTRAL, PERCENT, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
WAYS = ("frozen", "whole", "zero", "few", "adapter", "words")
KINDS = ("encoder", "decoder", "words")
ROW = 62  # pixels of a way: its point, and a line of words above
AROUND = 110  # pixels of legend and axis, which count as part of the height


def ways(words: Mapping[str, str]) -> Spec:
    """Accuracy of each way with its interval; rows of `tables.ways.ways` with `kind` and `cost`, words.

    Args:
        words: accuracy, low, high, n_right, n, f1, seconds, training_s, n_trained, chance, the name of each
            way (two lines apart by a line break), and of each kind as `kind_...`, in the reader's language.
    """
    names = {way: words[way].split("\n") for way in WAYS}
    y = {
        "field": "way", "type": "nominal", "title": None, "scale": {"domain": list(WAYS)},
        "axis": {
            "labelExpr": f"({_json(names)})[datum.value]", "labelFontSize": 13, "labelLimit": 190,
            "labelLineHeight": 15, "labelOverlap": False, "ticks": False, "domain": False,
        },
    }  # fmt: skip
    x = {
        "field": "accuracy", "type": "quantitative", "title": words["accuracy"],
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    kinds = {kind: words[f"kind_{kind}"] for kind in KINDS}
    legend = {
        "title": None, "orient": "top", "symbolSize": 140, "labelLimit": 300, "columns": legend_columns(),
        "labelExpr": f"({_json(kinds)})[datum.value]",
    }  # fmt: skip
    kind = {"field": "kind", "type": "nominal", "legend": legend}
    color = kind | {"scale": {"domain": list(KINDS), "range": [QUERY, VALUE, CUT]}}
    shape = kind | {"scale": {"domain": list(KINDS), "range": ["circle", "square", "diamond"]}}
    shared = {"y": y, "color": color, "tooltip": _tooltip(words)}
    guess = {"x": {"aggregate": "mean", "field": "chance", "type": "quantitative"}}
    return {
        "height": ROW * len(WAYS) + AROUND,
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": KEY, "strokeWidth": 2},
                "encoding": guess,
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "dy": -14, "color": NEUTRAL},
                "encoding": guess
                | {"y": {"datum": WAYS[-1], "type": "nominal"}, "text": {"value": words["chance"]}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 150, "opacity": 1},
                "encoding": shared | {"x": x, "shape": shape},
            },
            {
                "mark": {"type": "text", "align": "left", "dy": -14, "dx": 3, "fontSize": 12,
                         "color": NEUTRAL},
                "encoding": {
                    "y": y, "x": {"value": 0}, "text": {"field": "cost", "type": "nominal"},
                },
            },
        ],
        "config": LOCALE,
    }  # fmt: skip


def _tooltip(words: Mapping[str, str]) -> list[dict[str, Any]]:
    formats = {
        "accuracy": PERCENT, "low": PERCENT, "high": PERCENT, "f1": ".3f", "n_right": "d", "n": "d",
        "training_s": ",.1f", "seconds": ",.1f", "n_trained": ",d",
    }  # fmt: skip
    return [
        {"field": name, "type": "quantitative", "title": words[name], "format": form}
        for name, form in formats.items()
    ]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
