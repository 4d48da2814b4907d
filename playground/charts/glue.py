"""Pictures of GLUE in small: nine tasks by every way, and intervals against the number of items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import AFTER, BEFORE, CUT, KEY, LOCALE, NEUTRAL, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
WAYS = ("head", "zero", "few", "adapter", "words", "chance")
_COLORS = (QUERY, BEFORE, KEY, VALUE, AFTER, CUT)
_SHAPES = ("circle", "triangle-up", "square", "diamond", "cross", "M0,-1L0,1")
ROW = 32  # pixels of a task
LOWEST = -0.5
MOST_ITEMS = 50_000


def _task_axis(tasks: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    labels = f"({_json({task: list(lines) for task, lines in tasks.items()})})[datum.value]"
    return {
        "field": "task", "type": "nominal", "title": None, "scale": {"domain": list(tasks)},
        "axis": {
            "labelExpr": labels, "labelLimit": 150, "labelOverlap": False, "labelOffset": -7,
            "ticks": False, "domain": False,
            "grid": True, "bandPosition": 0, "tickBand": "extent",
        },
    }  # fmt: skip


def scores(tasks: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> Spec:
    """Figures of the tasks with their intervals; rows of `tables.glue.figures`.

    The axis goes from -0.5 to 1; what lies beyond is drawn at its edge.

    Args:
        tasks: Task -> the lines of its label.
        words: score, low, high, n, way, task, and the name of each of `WAYS`, in the reader's language.
    """
    names = f"({_json({way: words[way] for way in WAYS})})[datum.value]"
    y = _task_axis(tasks)
    x = {
        "field": "value", "type": "quantitative", "title": words["score"],
        "scale": {"domain": [LOWEST, 1], "nice": False, "clamp": True},
        "axis": {"tickCount": 7, "format": ".2~f"},
    }  # fmt: skip
    legend = {
        "title": None, "orient": "top", "labelExpr": names, "columns": legend_columns(3), "symbolSize": 110,
        "labelLimit": 340,
    }  # fmt: skip
    named = {"field": "way", "type": "nominal", "legend": legend}
    color = named | {"scale": {"domain": list(WAYS), "range": list(_COLORS)}}
    shape = named | {"scale": {"domain": list(WAYS), "range": list(_SHAPES)}}
    offset = {"field": "way", "type": "nominal", "scale": {"domain": list(WAYS[:-1])}}
    tooltip = [
        {"field": "name", "type": "nominal", "title": words["task"]},
        {"field": "told", "type": "nominal", "title": words["way"]},
        *(
            {"field": field, "type": "quantitative", "title": words[title], "format": ".3~f"}
            for field, title in (("value", "score"), ("low", "low"), ("high", "high"))
        ),
        {"field": "n", "type": "quantitative", "title": words["n"]},
    ]
    own = {"filter": "datum.way != 'chance'"}
    told_way = {"calculate": f"({_json({way: words[way] for way in WAYS})})[datum.way]", "as": "told"}
    shared = {"y": y, "yOffset": offset, "color": color, "tooltip": tooltip}
    return {
        "height": ROW * len(tasks),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "transform": [told_way],
        "layer": [
            {
                "transform": [{"filter": "datum.way == 'chance'"}],
                "mark": {"type": "point", "size": (ROW - 4) ** 2, "strokeWidth": 2, "opacity": 1},
                "encoding": {"y": y, "x": x, "color": color, "shape": shape},
            },
            {
                "transform": [own],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "transform": [own],
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": shared | {"x": x, "shape": shape},
            },
        ],
    }


def widths(words: Mapping[str, str], shares: Sequence[float], needed: int, ours: int) -> Spec:
    """Intervals of two shares of right answers against the number of items; rows of `tables.glue.widths`.

    Args:
        words: n, share, low, high, needed, ours, and "0" and "1" for both models, in the reader's language.
        shares: The worse and the better share.
        needed: Items that tell them apart.
        ours: Items of a set of ours.
    """
    names = [words["0"], words["1"]]
    named = {"calculate": f"datum.share < {sum(shares) / 2} ? {_json(names[0])} : {_json(names[1])}",
             "as": "model"}  # fmt: skip
    x = {
        "field": "n", "type": "quantitative", "title": words["n"],
        "scale": {"type": "log", "domain": [10, MOST_ITEMS], "nice": False},
        "axis": {"values": [10, 100, 1_000, 10_000], "format": ",d", "grid": False},
    }  # fmt: skip
    y = {
        "type": "quantitative", "title": words["share"], "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    color = {
        "field": "model", "type": "nominal", "scale": {"domain": names, "range": [KEY, QUERY]},
        "legend": {"title": None, "orient": "top", "columns": legend_columns(2), "symbolSize": 140},
    }  # fmt: skip
    tooltip = [
        {"field": "n", "type": "quantitative", "title": words["n"], "format": ",d"},
        {"field": "low", "type": "quantitative", "title": words["low"], "format": ".1%"},
        {"field": "high", "type": "quantitative", "title": words["high"], "format": ".1%"},
    ]
    band = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": color, "tooltip": tooltip}
    layers = [
        {"mark": {"type": "area", "opacity": 0.35, "line": False}, "encoding": band},
        {
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {"x": x, "y": y | {"field": "share"}, "color": color},
        },
    ]
    for number, text, dy in ((ours, words["ours"], -12), (needed, words["needed"], -30)):
        if number <= MOST_ITEMS:
            layers += _line(number, text, x, dy)
    return {
        "height": 220,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "transform": [named],
        "layer": layers,
        "config": LOCALE,
    }


def _line(number: int, text: str, x: Mapping[str, Any], dy: int) -> list[Spec]:
    """A dashed line at a number of items, and its words on the side with more room."""
    at = {k: v for k, v in x.items() if k != "field"} | {"datum": max(10, number)}
    is_right = number > 700  # the middle of the log axis
    return [
        {
            "transform": [{"aggregate": [{"op": "count", "as": "rows"}]}],
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL},
            "encoding": {"x": at},
        },
        {
            "transform": [{"aggregate": [{"op": "count", "as": "rows"}]}],
            "mark": {"type": "text", "align": "right" if is_right else "left", "dx": -5 if is_right else 5,
                     "dy": dy, "color": NEUTRAL, "limit": 220},
            "encoding": {"x": at, "y": {"value": "height"}, "text": {"value": text}},
        },
    ]  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
