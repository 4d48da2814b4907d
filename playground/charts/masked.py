"""Pictures of the page Masked: answers behind masks, two models on the same words, minimal pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    BITS,
    COUNT,
    CUT,
    KEY,
    LOCALE,
    NARROW,
    NEUTRAL,
    PERCENT,
    QUERY,
    legend_columns,
    side_by_side,
)

Spec = dict[str, Any]
MOST_BITS, MOST_DIFFERENCE = 20, 20
ABREAST = 3  # masks side by side
WIDTH, NAMES = 190, 130  # pixels of the bars of a mask, and of the tokens before them


def answers(words: Mapping[str, str], *, n_masks: int) -> Spec:
    """Vega-Lite of the most probable tokens behind each mask, a panel each; rows of `tables.masked.answers`.

    Args:
        words: token, probability, axis, rank, guess, stood in the reader's language.
        n_masks: Number of panels.
    """
    panels = [_answers(words, mask) for mask in range(1, n_masks + 1)]
    spec = panels[0] if n_masks == 1 else side_by_side(panels, 40)
    if n_masks > ABREAST:
        spec["columns"] = {"signal": f"{NARROW} ? 1 : {ABREAST}"}
    return spec | {"config": LOCALE}


def _answers(words: Mapping[str, str], mask: int) -> Spec:
    color = _two("stood_there", [False, True], [QUERY, AFTER], words["guess"], words["stood"])
    y = {"field": "order", "type": "ordinal", "axis": None}
    x = {
        "field": "probability",
        "type": "quantitative",
        "title": words["axis"],
        "scale": {"type": "sqrt", "domain": [0, 1], "nice": False},
        "axis": {"format": "%", "values": [0, 0.01, 0.1, 0.25, 0.5, 1]},
    }
    tooltip = [
        {"field": "token", "type": "nominal", "title": words["token"]},
        {"field": "probability", "type": "quantitative", "title": words["probability"], "format": PERCENT},
        {"field": "rank", "type": "quantitative", "title": words["rank"], "format": COUNT},
    ]
    name = {"type": "text", "align": "right", "limit": NAMES, "color": NEUTRAL, "fontSize": 13}
    value = {"type": "text", "align": "left", "dx": 4, "color": NEUTRAL, "fontSize": 12}
    title = {"type": "text", "align": "left", "dy": -20, "color": NEUTRAL, "fontWeight": "bold", "limit": 320}
    return {
        "width": WIDTH,
        "height": {"step": 22},
        "transform": [{"filter": f"datum.mask === {mask}"}],
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar"}, "encoding": {"x": x, "color": color, "tooltip": tooltip}},
            {"mark": name, "encoding": {"x": {"value": -8}, "text": {"field": "name"}}},
            {
                "mark": value,
                "encoding": {
                    "x": x,
                    "text": {"field": "probability", "type": "quantitative", "format": PERCENT},
                },
            },
            {
                "transform": [{"filter": "datum.order === 1"}],
                "mark": title,
                "encoding": {"x": {"value": -NAMES}, "text": {"field": "gap"}},
            },
        ],
    }


def both_sides(words: Mapping[str, str], *, n_words: int) -> Spec:
    """Surprisal of each word for a model that sees both sides and one that sees the left.

    Rows of `tables.masked.sides`.

    Args:
        words: word, surprisal, both, left in the reader's language.
        n_words: Length of the axis.
    """
    color = _two("side", ["both", "left"], [QUERY, KEY], words["both"], words["left"])
    x = {
        "field": "step",
        "type": "ordinal",
        "title": None,
        "scale": {"domain": list(range(1, n_words + 1))},
        "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False},
    }
    y = {
        "field": "bar",
        "type": "quantitative",
        "title": words["surprisal"],
        "scale": {"domain": [0, 1.4 * MOST_BITS], "nice": False},
        "axis": {"values": list(range(0, MOST_BITS + 1, 5))},
    }
    tooltip = [
        {"field": "word", "type": "nominal", "title": words["word"]},
        {"field": "surprisal_bits", "type": "quantitative", "title": words["surprisal"], "format": BITS},
    ]
    beside = {"field": "side", "sort": ["both", "left"]}
    bars = {"y": y, "color": color, "xOffset": beside, "tooltip": tooltip}
    highest = {
        "joinaggregate": [{"op": "max", "field": "bar", "as": "highest"}],
        "groupby": ["step"],
    }
    name = {"type": "text", "angle": 270, "align": "left", "dx": 4, "limit": 76, "color": NEUTRAL}
    above = {"field": "highest", "type": "quantitative", "title": words["surprisal"]}
    return {
        "height": 280,
        "transform": [{"calculate": f"min(datum.surprisal_bits, {MOST_BITS})", "as": "bar"}, highest],
        "encoding": {"x": x},
        "layer": [
            {"mark": {"type": "bar"}, "encoding": bars},
            {
                "transform": [{"filter": "datum.side === 'both'"}],
                "mark": name,
                "encoding": {"y": y | above, "text": {"field": "word"}},
            },
        ],
    }


def _two(field: str, domain: list[Any], colours: list[str], first: str, second: str) -> Spec:
    """The colour of one of two values, with a legend that names both."""
    names = (json.dumps(name, ensure_ascii=False) for name in (first, second))
    is_first = json.dumps(domain[0]) if isinstance(domain[0], bool) else domain[0]
    return {
        "field": field,
        "type": "nominal",
        "title": None,
        "scale": {"domain": domain, "range": colours},
        "legend": {
            "orient": "top",
            "columns": legend_columns(),
            "labelExpr": f"datum.label === '{is_first}' ? {' : '.join(names)}",
            "labelLimit": 320,
        },
    }


def pair_differences(words: Mapping[str, str]) -> Spec:
    """A point per pair: bits that its second sentence costs more than its first; `tables.masked.pairs`.

    Args:
        words: difference, group, a, b, prefers_a, prefers_b in the reader's language.
    """
    x = {
        "field": "shown",
        "type": "quantitative",
        "title": words["difference"],
        "scale": {"domain": [-MOST_DIFFERENCE, MOST_DIFFERENCE], "nice": False},
        "axis": {"values": [-20, -10, 0, 10, 20]},
    }
    color = _two("is_a", [True, False], [QUERY, AFTER], words["prefers_a"], words["prefers_b"])
    tooltip = [
        {"field": "sentence_a", "type": "nominal", "title": words["a"]},
        {"field": "sentence_b", "type": "nominal", "title": words["b"]},
        {"field": "difference_bits", "type": "quantitative", "title": words["difference"], "format": BITS},
    ]
    clamped = f"clamp(datum.difference_bits, {-MOST_DIFFERENCE}, {MOST_DIFFERENCE})"
    return {
        "height": {"step": 70},
        "transform": [
            {"calculate": clamped, "as": "shown"},
            {"calculate": "datum.difference_bits > 0", "as": "is_a"},
            {"calculate": "(datum.pair * 0.382) % 1", "as": "jitter"},
        ],
        "encoding": {
            "y": {
                "field": "group",
                "type": "nominal",
                "title": None,
                "sort": {"field": "pair", "op": "min"},
                "axis": {"labelLimit": 140, "ticks": False},
            }
        },
        "layer": [
            {"mark": {"type": "rule", "color": CUT}, "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.85},
                "encoding": {
                    "x": x,
                    "yOffset": {"field": "jitter", "type": "quantitative", "scale": {"domain": [-0.5, 1.5]}},
                    "color": color,
                    "shape": {
                        "field": "is_a",
                        "type": "nominal",
                        "scale": {"domain": [True, False], "range": ["circle", "triangle-down"]},
                        "legend": None,
                    },
                    "tooltip": tooltip,
                },
            },
        ],
    }
