"""Pictures of forgetting: what was learned against what was lost, a point a run, and both step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import AFTER, BEFORE, KEY, NEUTRAL, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
KINDS = ("start", "plain", "rehearsal", "l2sp", "ewc", "rank")
COLORS = [NEUTRAL, AFTER, QUERY, VALUE, KEY, BEFORE]
SHAPES = ["cross", "square", "circle", "triangle-up", "diamond", "triangle-down"]
DASHES = [[1, 0], [1, 0], [7, 4], [2, 3], [9, 3, 2, 3], [5, 2]]


def losses(words: Mapping[str, str], *, x_ends: tuple[float, float], y_ends: tuple[float, float]) -> Spec:
    """One point a run: the best strength of each kind filled, others as rings. Rows of `points`.

    Args:
        words: held_out, bits, strength, r, seed, and a word for each kind, in the reader's language.
        x_ends, y_ends: Ends of the axes.
    """
    kind = {"field": "kind", "type": "nominal"}
    legend = {"title": None, "orient": "top", "columns": legend_columns(6, 2), "labelLimit": 150,
              "labelExpr": _named(words, "datum.label"), "symbolSize": 110}  # fmt: skip
    looks = {
        "color": kind | {"scale": {"domain": list(KINDS), "range": COLORS}, "legend": legend},
        "shape": kind | {"scale": {"domain": list(KINDS), "range": SHAPES}, "legend": legend},
    }
    tooltip = [
        {"field": "said", "type": "nominal", "title": ""},
        {"field": "held_out", "type": "quantitative", "title": words["held_out"], "format": ".3f"},
        {"field": "bits", "type": "quantitative", "title": words["bits"], "format": ".3f"},
        {"field": "strength", "type": "quantitative", "title": words["strength"], "format": "~g"},
        {"field": "r", "type": "quantitative", "title": words["r"], "format": "d"},
        {"field": "seed", "type": "quantitative", "title": words["seed"], "format": "d"},
    ]
    encoding = {
        "x": _axis("held_out", words["held_out"], x_ends),
        "y": _axis("bits", words["bits"], y_ends),
        **looks,
        "tooltip": tooltip,
    }
    start = {"filter": "datum.kind === 'start'"}
    level = {"x": {"value": 0}, "x2": {"value": "width"}, "y": encoding["y"]}
    return {
        "height": 380,
        "padding": {"right": 16},
        "transform": [{"calculate": _named(words, "datum.kind"), "as": "said"}],
        "layer": [
            {"transform": [start], "encoding": level,
             "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL, "strokeWidth": 1.5}},
            {"transform": [{"filter": "datum.role === 'other'"}], "encoding": encoding,
             "mark": {"type": "point", "filled": False, "size": 120, "strokeWidth": 2, "opacity": 0.8}},
            {"transform": [{"filter": "datum.role !== 'other'"}], "encoding": encoding,
             "mark": {"type": "point", "filled": True, "size": 170, "opacity": 1}},
        ],
    }  # fmt: skip


def loss_steps(
    words: Mapping[str, str],
    *,
    text: str,
    remedies: Sequence[str],
    last: int,
    y_ends: tuple[float, float] | None,
) -> Spec:
    """One line a kind: its loss after each step. Rows of `curves`.

    Args:
        words: step, held_out, general, and a word for each kind, in the reader's language.
        text: Texts whose loss is drawn: held_out or general.
        remedies: Kinds that are drawn, in the order of the legend.
        last: Last step of the axis.
        y_ends: Ends of the loss axis; None while a run moves.
    """
    kind = {"field": "kind", "type": "nominal"}
    legend = {"title": None, "orient": "top", "columns": legend_columns(5, 2), "labelLimit": 150,
              "labelExpr": _named(words, "datum.label"), "symbolType": "stroke",
              "symbolSize": 500}  # fmt: skip
    places = [KINDS.index(one) for one in remedies]
    looks = {
        "color": kind
        | {"scale": {"domain": list(remedies), "range": [COLORS[at] for at in places]}, "legend": legend},
        "strokeDash": kind
        | {"scale": {"domain": list(remedies), "range": [DASHES[at] for at in places]}, "legend": legend},
    }
    x = {"field": "step", "type": "quantitative", "title": words["step"],
         "scale": {"domain": [0, last], "nice": False},
         "axis": {"tickMinStep": 1, "format": "d", "grid": False, "labelFlush": False}}  # fmt: skip
    y = {"field": "loss", "type": "quantitative", "title": words[text], "axis": {"format": ".2~f"},
         "scale": {"zero": False} if y_ends is None else {"domain": list(y_ends), "nice": False}}  # fmt: skip
    tooltip = [
        {"field": "said", "type": "nominal", "title": ""},
        {"field": "step", "type": "quantitative", "title": words["step"], "format": "d"},
        {"field": "loss", "type": "quantitative", "title": words[text], "format": ".3f"},
    ]
    return {
        "height": 280,
        "padding": {"right": 16},
        "transform": [{"filter": f"datum.text === '{text}'"},
                      {"calculate": _named(words, "datum.kind"), "as": "said"}],
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.6}, "encoding": {"x": x, "y": y, **looks}},
            {"mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
             "encoding": {"x": x, "y": y, "color": looks["color"], "tooltip": tooltip}},
        ],
    }  # fmt: skip


def _axis(name: str, title: str, ends: tuple[float, float]) -> Spec:
    return {"field": name, "type": "quantitative", "title": title,
            "scale": {"domain": list(ends), "nice": False},
            "axis": {"format": ".2~f", "tickCount": 6, "labelFlush": False}}  # fmt: skip


def _named(words: Mapping[str, str], value: str) -> str:
    """Vega's expression that says a kind in the reader's words."""
    return f"({json.dumps({name: words[name] for name in KINDS}, ensure_ascii=False)})[{value}]"
