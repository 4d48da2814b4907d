"""Pictures of agents: the bill of a run, strategies measured, opinions before and after a talk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    COUNT,
    CUT,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
)

Spec = dict[str, Any]
SHARES = {"again": CUT, "new": QUERY, "written": VALUE}
DECODINGS = {"free": BEFORE, "constrained": AFTER}
ROW = 40


def bill(words: Mapping[str, str], n_turns: int, window: int) -> Spec:
    """Tokens of each turn, stacked; rows of `tables.agents.bill`.

    Args:
        words: turn, tokens, so_far, and again, new, written, in the reader's language; `total` with {n}.
        n_turns: Turns a run has at most, so that the axis stays.
        window: Tokens that a turn has at most.
    """
    x = {
        "field": "tokens", "type": "quantitative", "title": words["tokens"], "stack": "zero",
        "scale": {"domain": [0, window * 1.25], "nice": False}, "axis": {"tickCount": 5, "format": COUNT},
    }  # fmt: skip
    y = {
        "field": "turn", "type": "ordinal", "title": words["turn"],
        "scale": {"domain": list(range(1, n_turns + 1))},
        "axis": {"labelAngle": 0, "ticks": False, "labelFontSize": 13},
    }  # fmt: skip
    color = {
        "field": "share", "type": "nominal",
        "scale": {"domain": list(SHARES), "range": list(SHARES.values())}, "legend": _legend(words, SHARES),
    }  # fmt: skip
    order = {"field": "start", "type": "quantitative"}
    tooltip = [
        {"field": "turn", "title": words["turn"]},
        {"field": "tokens", "type": "quantitative", "title": words["tokens"], "format": COUNT},
        {"field": "so_far", "type": "quantitative", "title": words["so_far"], "format": COUNT},
    ]  # fmt: skip
    return {
        "height": ROW * n_turns + 90,
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.7}},
                "encoding": {"x": x, "y": y, "color": color, "order": order, "tooltip": tooltip},
            },
            {
                "transform": [
                    {"aggregate": [
                        {"op": "sum", "field": "tokens", "as": "all"},
                        {"op": "max", "field": "so_far", "as": "so_far"},
                    ], "groupby": ["turn"]},
                    {"calculate": f"replace({_json(words['total'])}, '{{n}}', format(datum.so_far, ','))",
                     "as": "label"},
                ],
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12, "color": NEUTRAL},
                "encoding": {
                    "x": {"field": "all", "type": "quantitative"}, "y": y,
                    "text": {"field": "label", "type": "nominal"},
                },
            },
        ],
    }  # fmt: skip


def strategies(words: Mapping[str, str], names: Sequence[str], field: str, most: float) -> Spec:
    """One figure of each strategy, without and with a constraint; rows of `tables.agents.measured`.

    Args:
        words: The name of each strategy, of the field, free and constrained, in the reader's language.
        names: Ids of the strategies in order.
        field: Column that is drawn.
        most: End of the axis.
    """
    y = {
        "field": "strategy", "type": "nominal", "title": None, "scale": {"domain": list(names)},
        "axis": {
            "labelExpr": f"({_json({name: words[name] for name in names})})[datum.value]",
            "labelFontSize": 13, "labelLimit": 150, "ticks": False,
        },
    }  # fmt: skip
    x = {
        "field": field, "type": "quantitative", "title": words[field],
        "scale": {"domain": [0, most], "nice": False}, "axis": {"tickCount": 6, "format": COUNT},
    }  # fmt: skip
    color = {
        "field": "decoding", "type": "nominal",
        "scale": {"domain": list(DECODINGS), "range": list(DECODINGS.values())},
        "legend": _legend(words, DECODINGS),
    }  # fmt: skip
    offset = {"field": "decoding", "type": "nominal", "scale": {"domain": list(DECODINGS)}}
    tooltip = [
        {"field": name, "type": "quantitative", "title": words[name], "format": form}
        for name, form in (("n_right", "d"), ("n", "d"), ("turns", ".1f"), ("tokens", ",.0f"))
    ]
    return {
        "height": 52 * len(names) + 90,
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.85}},
                "encoding": {"x": x, "y": y, "yOffset": offset, "color": color, "tooltip": tooltip},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": NEUTRAL},
                "encoding": {
                    "x": x, "y": y, "yOffset": offset,
                    "text": {"field": field, "type": "quantitative", "format": ",.0f"},
                },
            },
        ],
    }  # fmt: skip


def opinions(words: Mapping[str, str], roles: Sequence[str]) -> Spec:
    """Share of the first answer in each role's mind, before and after; rows of `tables.agents.opinions`.

    Args:
        words: before, after, share, in the reader's language.
        roles: The roles in order.
    """
    y = {
        "field": "role", "type": "nominal", "title": None, "scale": {"domain": list(roles)},
        "axis": {"labelFontSize": 13, "labelLimit": 150, "ticks": False},
    }  # fmt: skip
    x = {
        "field": "share", "type": "quantitative", "title": words["share"],
        "scale": {"domain": [0, 1], "nice": False}, "axis": {"format": "%", "tickCount": 5},
    }  # fmt: skip
    colours = {"before": BEFORE, "after": AFTER}
    scale = {"domain": list(colours), "range": list(colours.values())}
    shapes = {"domain": list(colours), "range": ["circle", "diamond"]}
    legend = _legend(words, colours)
    return {
        "height": 60 * len(roles) + 90,
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": CUT},
                "encoding": {"y": y, "x": x | {"field": "before"}, "x2": {"field": "after"}},
            },
            {
                "transform": [{"fold": ["before", "after"], "as": ["when", "share"]}],
                "mark": {"type": "point", "filled": True, "size": 160, "opacity": 1},
                "encoding": {
                    "y": y, "x": x,
                    "color": {"field": "when", "type": "nominal", "scale": scale, "legend": legend},
                    "shape": {"field": "when", "type": "nominal", "scale": shapes, "legend": legend},
                    "tooltip": [
                        {"field": when, "type": "quantitative", "title": words[when], "format": PERCENT}
                        for when in colours
                    ],
                },
            },
        ],
        "config": LOCALE,
    }  # fmt: skip


def _legend(words: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    told = {name: words[name] for name in names}
    return {
        "title": None, "orient": "top", "symbolSize": 140, "labelLimit": 300, "columns": legend_columns(),
        "labelExpr": f"({_json(told)})[datum.value]",
    }  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
