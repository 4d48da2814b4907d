"""Maps of vectors: words by group, one word in many sentences; cosine matrix, separation by layer.

Vega-Lite dicts with a constant specification; the rows come beside them, so a chart is updated in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.embeddings import INK, THREE_DIGITS
from playground.charts.theme import AFTER, AMOUNTS, CUT, QUERY

GROUPS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A929B", "#A6761D")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "wedge")


def group_maps(maps: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    """Maps of the same words beside each other, every word written at its place.

    Args:
        maps: Map -> its title, in order.
        words: group in the reader's language.
    """
    colour = {
        "field": "group",
        "type": "ordinal",
        "scale": {"domain": list(range(1, len(GROUPS) + 1)), "range": list(GROUPS)},
        "legend": None,
    }
    axis = {"labels": False, "ticks": False, "title": None, "grid": False}
    place = {
        "x": {"field": "x", "type": "quantitative", "axis": axis, "scale": {"padding": 28}},
        "y": {"field": "y", "type": "quantitative", "axis": axis, "scale": {"padding": 16}},
    }
    tooltip = [{"field": "label"}, {"field": "group", "title": words["group"]}]
    point = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.9},
        "encoding": place | {"color": colour, "shape": _shapes("group"), "tooltip": tooltip},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 7, "fontSize": 12.5, "color": INK},
        "encoding": place | {"text": {"field": "label"}},
    }
    parts = [
        {
            "transform": [{"filter": f"datum.map === '{name}'"}],
            "title": {"text": title, "fontSize": 14, "anchor": "start", "fontWeight": 600},
            "width": 380,
            "height": 300,
            "layer": [point, text],
        }
        for name, title in maps.items()
    ]
    return {"hconcat": parts, "spacing": 24}


def context_map(words: Mapping[str, str], extent: float) -> dict[str, Any]:
    """Occurrences of one word as numbered points; the axes keep their length while the layer changes.

    Args:
        words: sense, sentence in the reader's language.
        extent: Largest coordinate at any layer.
    """
    scale = {"domain": [-extent, extent], "nice": False, "padding": 10}
    axis = {"labels": False, "ticks": False, "title": None}
    place = {
        "x": {"field": "x", "type": "quantitative", "axis": axis, "scale": scale},
        "y": {"field": "y", "type": "quantitative", "axis": axis, "scale": scale},
    }
    colour = {
        "field": "sense",
        "type": "ordinal",
        "scale": {"domain": list(range(1, len(GROUPS) + 1)), "range": list(GROUPS)},
        "legend": None,
    }
    tooltip = [{"field": "sentence", "title": words["sentence"]}, {"field": "sense", "title": words["sense"]}]
    point = {
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 0.9},
        "encoding": place | {"color": colour, "shape": _shapes("sense"), "tooltip": tooltip},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 9, "fontSize": 13, "color": INK},
        "encoding": place | {"text": {"field": "number"}},
    }
    return {"height": 300, "layer": [point, text]}


def cosine_matrix(words: Mapping[str, str], lowest: float) -> dict[str, Any]:
    """Cosine of every two occurrences, `lowest` to 1 in cividis, the number in each cell.

    Args:
        words: cosine in the reader's language.
        lowest: Where the colours start: the smallest cosine at any layer.
    """
    axis = {"labelAngle": 0, "title": None, "ticks": False, "domain": False}
    place = {
        "x": {"field": "column", "type": "ordinal", "axis": axis | {"orient": "top"}},
        "y": {"field": "row", "type": "ordinal", "axis": axis},
    }
    colour = {
        "field": "cosine",
        "type": "quantitative",
        "scale": {"scheme": AMOUNTS, "domain": [lowest, 1], "clamp": True},
        "legend": None,
    }
    tooltip = [
        {"field": "row"},
        {"field": "column"},
        {"field": "cosine", "title": words["cosine"], "format": THREE_DIGITS},
    ]
    cell = {"mark": {"type": "rect"}, "encoding": place | {"color": colour, "tooltip": tooltip}}
    ink = {
        "condition": {"test": f"datum.cosine > {lowest + 0.6 * (1 - lowest)}", "value": "#111"},
        "value": "#fff",
    }
    number = {
        "transform": [
            {"joinaggregate": [{"op": "max", "field": "row", "as": "n"}]},
            {"filter": "datum.n <= 12"},
        ],
        "mark": {"type": "text", "fontSize": 10.5},
        "encoding": place | {"text": {"field": "cosine", "format": ".2f"}, "color": ink},
    }
    return {"height": 300, "layer": [cell, number]}


def separation_curve(words: Mapping[str, str]) -> dict[str, Any]:
    """Separation of the senses at each layer, a point for the chosen one; the axis never moves.

    Args:
        words: layer, separation in the reader's language.
    """
    place = {
        "x": {
            "field": "layer",
            "type": "quantitative",
            "title": words["layer"],
            "axis": {"tickMinStep": 1, "format": "d"},
        },
        "y": {
            "field": "separation",
            "type": "quantitative",
            "title": words["separation"],
            "scale": {"domain": [-0.4, 1]},
        },
    }
    tooltip = [
        {"field": "layer", "title": words["layer"]},
        {"field": "separation", "title": words["separation"], "format": THREE_DIGITS},
    ]
    zero = {
        "mark": {"type": "rule", "color": CUT, "strokeDash": [5, 4]},
        "encoding": {"y": {"datum": 0}},
    }
    line = {"mark": {"type": "line", "color": QUERY, "strokeWidth": 2.5}, "encoding": place}
    dots = {
        "mark": {"type": "circle", "color": QUERY, "size": 40, "opacity": 1},
        "encoding": place | {"tooltip": tooltip},
    }
    now = {
        "transform": [{"filter": "datum.now"}],
        "mark": {"type": "point", "filled": True, "color": AFTER, "size": 130, "opacity": 1},
        "encoding": place | {"tooltip": tooltip},
    }
    return {"height": 190, "layer": [zero, line, dots, now]}


def _shapes(field: str) -> dict[str, Any]:
    domain: Sequence[int] = list(range(1, len(SHAPES) + 1))
    scale = {"domain": domain, "range": list(SHAPES)}
    return {"field": field, "type": "ordinal", "scale": scale, "legend": None}
