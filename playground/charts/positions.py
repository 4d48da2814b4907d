"""Pictures of positions: the curve of a learned table, the order experiment, texts at far positions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.embeddings import INK
from playground.charts.theme import AFTER, AMOUNTS, CUT, KEY, LOCALE, PERCENT, QUERY, VALUE, legend_columns

Spec = dict[str, Any]


def curve(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of the learned rows on two principal components; rows of `tables.positions.principal_curve`.

    Args:
        words: position, pc1, pc2 (with the variance they explain) in the reader's language.
    """
    x = {"field": "pc1", "type": "quantitative", "title": words["pc1"]}
    y = {"field": "pc2", "type": "quantitative", "title": words["pc2"]}
    color = {
        "field": "position",
        "type": "quantitative",
        "title": words["position"],
        "scale": {"range": AMOUNTS},
        "legend": {"orient": "bottom", "gradientLength": 240},
    }
    tooltip = [
        {"field": "position", "type": "quantitative", "title": words["position"]},
        {"field": "pc1", "type": "quantitative", "format": ".4f"},
        {"field": "pc2", "type": "quantitative", "format": ".4f"},
        {"field": "pc3", "type": "quantitative", "format": ".4f"},
    ]
    line = {
        "mark": {"type": "line", "color": CUT, "opacity": 0.3, "strokeWidth": 0.7},
        "encoding": {"x": x, "y": y, "order": {"field": "position"}},
    }
    points = {
        "mark": {"type": "circle", "size": 34, "opacity": 0.9, "stroke": INK, "strokeWidth": 0.6},
        "encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip},
    }
    return {"height": 320, "layer": [line, points]}


def order_lines(words: Mapping[str, str], *, models: tuple[str, str]) -> Spec:
    """Vega-Lite of the difference at each layer, logarithmic; rows of `tables.positions.order`.

    Args:
        words: layer, difference, model, positions, counted, equal, last in the reader's language.
        models: The encoder's and the decoder's name, as in the rows.
    """
    names = {kind: json.dumps(words[kind], ensure_ascii=False) for kind in ("counted", "equal", "last")}
    kinds = ["counted", "equal", "last"]
    label = "datum.label === 'counted' ? {counted} : datum.label === 'equal' ? {equal} : {last}"
    x = {"field": "layer", "type": "quantitative", "title": words["layer"], "axis": {"tickMinStep": 1}}
    y = {
        "field": "drawn",
        "type": "quantitative",
        "title": words["difference"],
        "scale": {"type": "log", "domain": [1e-8, 1e3], "clamp": True},
        "axis": {"values": [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2], "format": "~e"},
    }
    color = {
        "field": "model",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(models), "range": [KEY, QUERY]},
        "legend": {"orient": "top", "columns": legend_columns(), "labelLimit": 400, "symbolOpacity": 1},
    }
    dash = {
        "field": "positions",
        "type": "nominal",
        "title": None,
        "scale": {"domain": kinds, "range": [[1, 0], [7, 4], [2, 3]]},
        "legend": {
            "orient": "bottom",
            "columns": legend_columns(),
            "direction": "horizontal",
            "labelLimit": 400,
            "symbolType": "stroke",
            "symbolSize": 500,
            "labelExpr": label.format(**names),
        },
    }
    tooltip = [
        {"field": "model", "type": "nominal", "title": words["model"]},
        {"field": "positions", "type": "nominal", "title": words["positions"]},
        {"field": "layer", "type": "quantitative", "title": words["layer"]},
        {"field": "difference", "type": "quantitative", "title": words["difference"], "format": ".3~e"},
    ]
    # a wide pale line under a thin dashed one: both stay in sight where they coincide
    lines = [
        {
            "transform": [{"filter": f"datum.positions {sign} 'counted'"}],
            "mark": {"type": "line", "strokeWidth": width, "opacity": opacity},
            "encoding": {"strokeDash": dash},
        }
        for sign, width, opacity in (("===", 9, 0.32), ("!==", 2.2, 1))
    ]
    point = {"mark": {"type": "circle", "size": 34, "opacity": 1}, "encoding": {"tooltip": tooltip}}
    shared = {"x": x, "y": y, "color": color}
    return {"height": 470, "encoding": shared, "layer": [*lines, point]}


def far_lines(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of the winner's probability at far positions; rows of `tables.positions.far`.

    Args:
        words: offset, prob, all, last, token, token_prob in the reader's language.
    """
    everything, last = (json.dumps(words[name], ensure_ascii=False) for name in ("all", "last"))
    names = f"datum.label === 'all' ? {everything} : {last}"
    kinds = ["all", "last"]
    x = {
        "field": "offset",
        "type": "quantitative",
        "title": words["offset"],
        "scale": {"type": "symlog", "constant": 8},
        "axis": {"values": [0, 16, 64, 256, 1024, 4096, 16384, 65536], "format": ",d"},
    }
    y = {
        "field": "prob",
        "type": "quantitative",
        "title": words["prob"],
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%"},
    }
    legend = {
        "orient": "top",
        "columns": legend_columns(),
        "labelExpr": names,
        "labelLimit": 600,
        "symbolType": "stroke",
        "symbolSize": 900,
    }
    color = {
        "field": "moved",
        "type": "nominal",
        "title": None,
        "scale": {"domain": kinds, "range": [VALUE, AFTER]},
        "legend": legend,
    }
    dash = {
        "field": "moved",
        "type": "nominal",
        "title": None,
        "scale": {"domain": kinds, "range": [[1, 0], [7, 4]]},
        "legend": legend,
    }
    tooltip = [
        {"field": "offset", "type": "quantitative", "title": words["offset"], "format": ",d"},
        {"field": "prob", "type": "quantitative", "title": words["prob"], "format": PERCENT},
        {"field": "token", "type": "nominal", "title": words["token"]},
        {"field": "token_prob", "type": "quantitative", "title": words["token_prob"], "format": PERCENT},
    ]
    line = {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"strokeDash": dash}}
    point = {"mark": {"type": "circle", "size": 60, "opacity": 1}, "encoding": {"tooltip": tooltip}}
    return {
        "height": 280,
        "encoding": {"x": x, "y": y, "color": color},
        "layer": [line, point],
        "config": LOCALE,
    }
