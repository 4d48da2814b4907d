"""Picture of the ways to adapt a model: held-out loss against trained numbers, with the time of a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AFTER, COUNT, KEY, LOCALE, NARROW, NEUTRAL, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
WAYS = ("lora", "last_block", "bottleneck", "prompt", "prefix")
COLORS = [QUERY, NEUTRAL, KEY, VALUE, AFTER]
SHAPES = ["circle", "square", "diamond", "triangle-up", "triangle-down"]
WHO = ("shipped", "mine")


def ways(words: Mapping[str, str], *, base: float | None, numbers: tuple[float, float]) -> Spec:
    """One point a way, the reader's own as rings; the time of a token beside each. Rows of `ways`.

    Args:
        words: n_trained, held_out, time, base, who, and a word for each way and for shipped and mine, in the
            reader's language.
        base: Loss without any training: a dashed line; None draws none.
        numbers: Ends of the axis of trained numbers.
    """
    x = {"field": "n_trained", "type": "quantitative", "title": words["n_trained"],
         "scale": {"type": "log", "domain": list(numbers), "nice": False},
         "axis": {"format": "~s", "tickCount": 5, "labelFlush": False, "grid": False}}  # fmt: skip
    y = {"field": "held_out", "type": "quantitative", "title": words["held_out"], "scale": {"zero": False},
         "axis": {"format": ".1f", "tickCount": 6}}  # fmt: skip
    drawn = {"x": x, "y": y, **_looks(words), "tooltip": _tooltip(words)}
    # above its point, of a bottleneck below: LoRA stands close by
    dy = {"expr": "datum.method === 'bottleneck' ? 16 : -15"}
    named = {"x": x, "y": y, "text": {"field": "time_said"}}
    text = {"type": "text", "fontSize": 12, "color": NEUTRAL, "align": "center", "dy": dy}
    return {
        "height": 360,
        "padding": {"right": 16},
        "transform": [
            {"calculate": _named(words, WAYS, "datum.method"), "as": "said"},
            {"calculate": _named(words, WHO, "datum.who"), "as": "who_said"},
            {"calculate": "datum.time - 1", "as": "more"},
            {"calculate": "isValid(datum.time) ? format(datum.more, '+.0%') : ''", "as": "time_said"},
        ],
        "layer": [
            *_line(words["base"], base),
            {"transform": [{"filter": "datum.who === 'shipped'"}],
             "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1}, "encoding": drawn},
            {"transform": [{"filter": "datum.who === 'mine'"}],
             "mark": {"type": "point", "filled": False, "size": 230, "strokeWidth": 3, "opacity": 1},
             "encoding": drawn},
            {"mark": text, "encoding": named},
        ],
        "config": LOCALE,
    }  # fmt: skip


def _line(said: str, base: float | None) -> list[Spec]:
    """A dashed line with its name."""
    if base is None:
        return []
    once = [{"aggregate": [{"op": "count", "as": "count"}]}]
    return [
        {"transform": once, "encoding": {"y": {"datum": base}},
         "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL, "strokeWidth": 1.5}},
        {"transform": once, "encoding": {"y": {"datum": base}, "x": {"value": 4}},
         "mark": {"type": "text", "align": "left", "dy": -8, "fontSize": 12, "color": NEUTRAL, "text": said}},
    ]  # fmt: skip


def _looks(words: Mapping[str, str]) -> Spec:
    """Colour and shape of each way, with one legend for both."""
    method = {"field": "method", "type": "nominal"}
    legend = {
        "title": None,
        "orient": "top",
        "columns": legend_columns(3, 2),
        "labelLimit": 170,
        "labelFontSize": {"expr": f"{NARROW} ? 12 : 14"},
        "columnPadding": 8,
        "labelExpr": _named(words, WAYS, "datum.label"),
        "symbolSize": 110,
    }
    color = {"color": method | {"scale": {"domain": list(WAYS), "range": COLORS}, "legend": legend}}
    shape = {"shape": method | {"scale": {"domain": list(WAYS), "range": SHAPES}, "legend": legend}}
    return color | shape


def _tooltip(words: Mapping[str, str]) -> list[Spec]:
    return [
        {"field": "said", "type": "nominal", "title": ""},
        {"field": "who_said", "type": "nominal", "title": words["who"]},
        {"field": "n_trained", "type": "quantitative", "title": words["n_trained"], "format": COUNT},
        {"field": "held_out", "type": "quantitative", "title": words["held_out"], "format": ".3f"},
        {"field": "time_said", "type": "nominal", "title": words["time"]},
    ]


def _named(words: Mapping[str, str], names: tuple[str, ...], value: str) -> str:
    """Vega's expression that says a name in the reader's words."""
    return f"({json.dumps({name: words[name] for name in names}, ensure_ascii=False)})[{value}]"
