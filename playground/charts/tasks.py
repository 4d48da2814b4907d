"""Pictures of the page Tasks: figures with their intervals beside a baseline, probabilities of labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    CUT,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
)

Spec = dict[str, Any]
ROW = 52  # pixels of a metric
AXES = 60  # of the axis, which the height of a layered picture holds too
LEGEND = 56  # two lines of it on a phone


def figures(words: Mapping[str, str], *, who: Sequence[str], metrics: Sequence[str]) -> Spec:
    """Figures as points on an axis from 0 to 100, their intervals as lines; rows of `tables.tasks.figures`.

    Args:
        words: value, low, high, and the name of each in `who` and in `metrics`, in the reader's language.
        who: Ids of those compared: the model's first, the baseline's last.
        metrics: Names of the metrics, from top to bottom.
    """
    looks = {"range": [QUERY, CUT] if len(who) < 3 else [QUERY, VALUE, CUT], "domain": list(who)}
    legend = {
        "title": None, "orient": "top", "columns": legend_columns(), "symbolSize": 140, "labelLimit": 320,
        "labelExpr": _named(words, who),
    }  # fmt: skip
    named = {"field": "who", "type": "nominal", "legend": legend}
    shapes = ["circle", "square", "diamond"][-len(who) :] if len(who) == 3 else ["circle", "diamond"]
    x = {
        "field": "value", "type": "quantitative", "title": words["value"],
        "scale": {"domain": [0, 100], "nice": False}, "axis": {"tickCount": 6},
    }  # fmt: skip
    y = {
        "field": "metric", "type": "nominal", "title": None, "sort": list(metrics),
        "axis": {"labelLimit": 180, "labelFontSize": 13, "labelExpr": _named(words, metrics)},
    }  # fmt: skip
    tooltip = [
        {"field": name, "type": "quantitative", "title": words[name], "format": ".1f"}
        for name in ("value", "low", "high")
    ]
    shared = {
        "y": y,
        "yOffset": {"field": "who", "type": "nominal", "scale": {"domain": list(who)}},
        "color": named | {"scale": looks},
        "tooltip": tooltip,
    }
    return {
        "height": ROW * len(metrics) + AXES + LEGEND,
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
                "encoding": shared
                | {"x": x, "shape": named | {"scale": {"domain": list(who), "range": shapes}}},
            },
        ],
    }


def _named(words: Mapping[str, str], ids: Sequence[str]) -> str:
    return f"({json.dumps({one: words[one] for one in ids}, ensure_ascii=False)})[datum.value]"


def shares(words: Mapping[str, str], *, labels: Sequence[str], times: Sequence[str]) -> Spec:
    """Probability of each label as bars from 0 to 1; rows of label, time, share.

    Args:
        words: share, and the name of each label and of each of `times`, in the reader's language.
        labels: The labels, from top to bottom.
        times: "now" alone, or "before" and "after" an edit.
    """
    colors = {"now": QUERY, "before": BEFORE, "after": AFTER}
    legend = {
        "title": None, "orient": "top", "columns": legend_columns(), "symbolSize": 140,
        "labelExpr": _named(words, times),
    }  # fmt: skip
    color = {
        "field": "time", "type": "nominal", "legend": legend if len(times) > 1 else None,
        "scale": {"domain": list(times), "range": [colors[one] for one in times]},
    }  # fmt: skip
    y = {
        "field": "label", "type": "nominal", "title": None, "sort": list(labels),
        "axis": {"labelFontSize": 13, "labelLimit": 160, "labelExpr": _named(words, labels)},
    }  # fmt: skip
    x = {
        "field": "share", "type": "quantitative", "title": words["share"], "stack": None,
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    offset = {"field": "time", "type": "nominal", "scale": {"domain": list(times)}}
    tooltip = [{"field": "share", "type": "quantitative", "title": words["share"], "format": PERCENT}]
    shared = {"y": y, "yOffset": offset}
    return {
        "height": (50 if len(times) == 1 else 60) * len(labels) + AXES,
        "layer": [
            {"mark": {"type": "bar"}, "encoding": shared | {"x": x, "color": color, "tooltip": tooltip}},
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": NEUTRAL, "fontSize": 13},
                "encoding": shared
                | {"x": x, "text": {"field": "share", "type": "quantitative", "format": PERCENT}},
            },
        ],
        "config": LOCALE,
    }
