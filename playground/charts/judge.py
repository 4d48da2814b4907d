"""Pictures of a judge: its verdict on each pair in both orders, and what its verdicts depend on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import CUT, KEY, LOCALE, NARROW, NEUTRAL, PERCENT, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
ORDERS = ("first", "second")
GROUPS = ("all", "en", "ko")
NAMES = ("turns", "first", "right", "longer", "lengthened")


def verdicts(words: Mapping[str, str]) -> Spec:
    """p(the better answer wins) of each pair in both orders, joined by a line; rows of `tables.judge.points`.

    Args:
        words: wins, first, second, question, better, worse in the reader's language.
    """
    x = {
        "field": "wins", "type": "quantitative", "title": words["wins"],
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    y = {
        "field": "question", "type": "nominal", "title": None, "sort": {"field": "pair"},
        "axis": {"labelLimit": {"expr": f"{NARROW} ? 120 : 300"}, "ticks": False, "domain": False},
    }  # fmt: skip
    names = f"({_json({order: words[order] for order in ORDERS})})[datum.value]"
    legend = {
        "title": None, "orient": "top", "labelExpr": names, "columns": legend_columns(), "labelLimit": 320,
        "symbolSize": 120,
    }  # fmt: skip
    named = {"field": "order", "type": "nominal", "legend": legend}
    tooltip = [
        {"field": name, "type": "nominal", "title": words[name]} for name in ("question", "better", "worse")
    ] + [{"field": "wins", "type": "quantitative", "title": words["wins"], "format": PERCENT}]
    return {
        "height": {"step": 26},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL},
                "encoding": {
                    "x": {"datum": 0.5, "type": "quantitative"},
                    "y": {"value": 0},
                    "y2": {"value": "height"},
                },
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": CUT},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1},
                "encoding": {
                    "x": x,
                    "color": named | {"scale": {"domain": list(ORDERS), "range": [QUERY, KEY]}},
                    "shape": named | {"scale": {"domain": list(ORDERS), "range": ["circle", "square"]}},
                    "tooltip": tooltip,
                },
            },
        ],
        "config": LOCALE,
    }  # fmt: skip


def shares(words: Mapping[str, str], *, names: Sequence[str]) -> Spec:
    """Shares with their intervals, those of all pairs and by language; rows of `tables.judge.shares`.

    Args:
        words: share, low, high, n_yes, n, chance, each name and each group in the reader's language.
        names: The shares that are shown.
    """
    label = f"({_json({name: words[name] for name in NAMES})})[datum.value]"
    y = {
        "field": "name", "type": "nominal", "title": None, "scale": {"domain": list(names)},
        "axis": {
            "labelExpr": label, "labelLimit": {"expr": f"{NARROW} ? 130 : 330"}, "ticks": False,
            "labelFontSize": 13,
        },
    }  # fmt: skip
    x = {
        "field": "share", "type": "quantitative", "title": words["share"],
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    tooltip = [
        {"field": name, "type": "quantitative", "title": words[name], "format": PERCENT}
        for name in ("share", "low", "high")
    ] + [{"field": name, "type": "quantitative", "title": words[name]} for name in ("n_yes", "n")]
    color, shape = _languages(words)
    offset = {"field": "language", "type": "nominal", "scale": {"domain": list(GROUPS)}}
    shared = {"y": y, "yOffset": offset, "color": color, "tooltip": tooltip}
    span = {"x": x | {"field": "low"}, "x2": {"field": "high"}}
    return {
        "height": {"step": 20},
        "layer": [
            *_chance(words["chance"]),
            {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": shared | span},
            {
                "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1},
                "encoding": shared | {"x": x, "shape": shape},
            },
        ],
        "config": LOCALE,
    }


def _languages(words: Mapping[str, str]) -> tuple[Spec, Spec]:
    """Colour and shape of each group of pairs."""
    groups = f"({_json({group: words[group] for group in GROUPS})})[datum.value]"
    legend = {
        "title": None,
        "orient": "top",
        "labelExpr": groups,
        "columns": legend_columns(),
        "symbolSize": 120,
    }
    named = {"field": "language", "type": "nominal", "legend": legend}
    return (
        named | {"scale": {"domain": list(GROUPS), "range": [QUERY, KEY, VALUE]}},
        named | {"scale": {"domain": list(GROUPS), "range": ["circle", "square", "diamond"]}},
    )


def _chance(name: str) -> list[Spec]:
    """The line of guessing, with its name."""
    half = {"datum": 0.5, "type": "quantitative"}
    return [
        {"mark": {"type": "rule", "strokeDash": [5, 4], "color": NEUTRAL}, "encoding": {"x": half}},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "dy": 8, "color": NEUTRAL},
            "encoding": {"x": half, "y": {"value": 0}, "text": {"value": name}},
        },
    ]


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)
