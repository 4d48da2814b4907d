"""Pictures of the effect of switching heads off: before and after, a ranking, weight against effect.

Vega-Lite dicts with a constant specification; the rows come beside them, so a chart is updated in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AFTER, AMOUNTS, BEFORE, LOCALE, PERCENT, QUERY, legend_columns


def before_after(words: Mapping[str, str]) -> dict[str, Any]:
    """Two bars per token: with all heads, and without those that are off. The axis is fixed.

    Args:
        words: token, probability, before, after in the reader's language.
    """
    names = {"before": words["before"], "after": words["after"]}
    y = {
        "field": "token",
        "type": "nominal",
        "sort": {"field": "place"},
        "title": None,
        "axis": {"labelLimit": 140, "ticks": False, "domain": False, "labelFontSize": 14},
    }
    return {
        "transform": [{"calculate": f"{names!r}[datum.when]", "as": "side"}],
        "height": {"step": 13},
        "mark": {"type": "bar"},
        "encoding": {
            "y": y,
            "yOffset": {"field": "when", "sort": ["before", "after"]},
            "x": {
                "field": "probability",
                "type": "quantitative",
                "title": words["probability"],
                "scale": {"domain": [0, 1]},
                "axis": {"format": "%", "tickCount": 5},
            },
            "color": {
                "field": "side",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(names.values()), "range": [BEFORE, AFTER]},
                "legend": {"orient": "top", "columns": legend_columns(), "labelLimit": 0},
            },
            "tooltip": [
                {"field": "token", "title": words["token"]},
                {"field": "side", "title": " "},
                {"field": "probability", "title": words["probability"], "format": ".5f"},
            ],
        },
        "config": LOCALE,
    }


def effect_grid(words: Mapping[str, str]) -> dict[str, Any]:
    """Layer by head, coloured by the change of the answer without it (square root of bits).

    Args:
        words: layer, head, bits, token, link in the reader's language.
    """
    axis = {"labelAngle": 0, "ticks": False, "domain": False}
    return {
        "height": {"step": 20},
        "mark": {"type": "rect", "stroke": "#8A929B", "strokeWidth": 0.4},
        "encoding": {
            "x": {"field": "layer", "type": "ordinal", "title": words["layer"], "axis": axis},
            "y": {"field": "head", "type": "ordinal", "title": words["head"], "axis": axis},
            "color": {
                "field": "kl_bits",
                "type": "quantitative",
                "title": words["bits"],
                "scale": {"type": "sqrt", "range": AMOUNTS, "domain": [0, 1], "clamp": True},
                "legend": {"orient": "bottom", "gradientLength": 200},
            },
            "tooltip": _tooltip(words),
        },
    }


def weight_against_effect(words: Mapping[str, str]) -> dict[str, Any]:
    """One point per head: its strongest link from the last token against the change without it.

    Args:
        words: layer, head, bits, token, link in the reader's language.
    """
    return {
        "height": 260,
        "mark": {"type": "point", "filled": True, "size": 46, "color": QUERY, "opacity": 0.6},
        "encoding": {
            "x": {
                "field": "strongest_link",
                "type": "quantitative",
                "title": words["link"],
                "scale": {"domain": [0, 1]},
                "axis": {"format": "%"},
            },
            "y": {
                "field": "kl_bits",
                "type": "quantitative",
                "title": words["bits"],
                "scale": {"type": "sqrt"},
            },
            "tooltip": _tooltip(words),
        },
        "config": LOCALE,
    }


def flow(words: Mapping[str, str]) -> dict[str, Any]:
    """Token by token, coloured by the share (square root). Labels are numbered: tokens may come twice.

    Args:
        words: from, to, share in the reader's language.
    """
    axis = {
        "labelAngle": -40,
        "labelLimit": 110,
        "labelOverlap": False,
        "labelFontSize": 12,
        "ticks": False,
        "domain": False,
        "title": None,
    }
    return {
        "height": {"step": 21},
        "mark": {"type": "rect"},
        "encoding": {
            "x": {"field": "key", "type": "nominal", "sort": {"field": "key_place"}, "axis": axis},
            "y": {
                "field": "query",
                "type": "nominal",
                "sort": {"field": "query_place"},
                "axis": axis | {"labelAngle": 0},
            },
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": words["share"],
                "scale": {"type": "sqrt", "range": AMOUNTS, "domain": [0, 1]},
                "legend": {"format": "%", "orient": "bottom", "gradientLength": 200},
            },
            "tooltip": [
                {"field": "query", "title": words["from"]},
                {"field": "key", "title": words["to"]},
                {"field": "share", "title": words["share"], "format": PERCENT},
            ],
        },
        "config": LOCALE,
    }


def _tooltip(words: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"field": "name", "title": words["head"]},
        {"field": "kl_bits", "title": words["bits"], "format": ".4f"},
        {"field": "strongest_link", "title": words["link"], "format": ".4f"},
        {"field": "next_token", "title": words["token"]},
    ]
