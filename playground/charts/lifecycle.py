"""Pictures of the page lifecycle: branches against a goal, runs of the log, drift, signs that are watched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import AFTER, BEFORE, CUT, KEY, LOCALE, NEUTRAL, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
_VERDICTS = ("enough", "short", "unclear", "open")
_VERDICT_COLORS = (VALUE, AFTER, KEY, CUT)
_THUMBS = ("none", "up", "down")
_SHAPES = ("circle", "triangle-up", "triangle-down")
_MODEL_COLORS = (QUERY, KEY, VALUE, AFTER, BEFORE, "#CC79A7", CUT)
MOST_BITS = 4


def evidence(words: Mapping[str, str], branches: Sequence[str], goal: float) -> Spec:
    """Shares with their intervals against a goal; rows of `tables.lifecycle.evidence`.

    Args:
        words: share, low, high, n, before, goal, branch and the four verdicts, in the reader's language.
        branches: Names of all branches, in order.
        goal: Wanted share, 0 to 1.
    """
    y = {
        "field": "branch", "type": "nominal", "title": None, "scale": {"domain": list(branches)},
        "axis": {"labelLimit": 150, "ticks": False},
    }  # fmt: skip
    x = {
        "field": "share", "type": "quantitative", "title": words["share"], "axis": {"format": "%",
        "tickCount": 5},
        "scale": {"domain": [0, 1], "nice": False},
    }  # fmt: skip
    color = {
        "field": "verdict", "type": "nominal",
        "scale": {"domain": list(_VERDICTS), "range": list(_VERDICT_COLORS)},
        "legend": {
            "title": None, "orient": "top", "columns": legend_columns(4, 2), "symbolSize": 110,
            "labelLimit": 200,
            "labelExpr": f"({_json({one: words[one] for one in _VERDICTS})})[datum.value]",
        },
    }  # fmt: skip
    tooltip = [
        {"field": "branch", "type": "nominal", "title": words["branch"]},
        *(
            {"field": field, "type": "quantitative", "title": words[field], "format": ".1%"}
            for field in ("share", "low", "high", "before")
        ),
        {"field": "n", "type": "quantitative", "title": words["n"]},
    ]
    shared = {"y": y, "tooltip": tooltip}
    return {
        "height": 44 * len(branches),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.before)"}],
                "mark": {"type": "tick", "thickness": 3, "size": 20, "color": BEFORE},
                "encoding": shared | {"x": x | {"field": "before"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}, "color": color},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
                "encoding": shared | {"x": x, "color": color},
            },
            *_goal(goal, words["goal"], x),
        ],
        "config": LOCALE,
    }


def _goal(goal: float, text: str, x: Mapping[str, Any]) -> list[Spec]:
    """The dashed line of the goal, and its words on the side with more room."""
    at = {k: v for k, v in x.items() if k != "field"} | {"datum": goal}
    once = [{"aggregate": [{"op": "count", "as": "rows"}]}]
    side = {"align": "right", "dx": -6} if goal > 0.5 else {"align": "left", "dx": 6}
    return [
        {
            "transform": once,
            "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 2, "color": NEUTRAL},
            "encoding": {"x": at},
        },
        {
            "transform": once,
            "mark": {"type": "text", "baseline": "top", "color": NEUTRAL, "limit": 220, **side},
            "encoding": {"x": at, "y": {"value": 2}, "text": {"value": text}},
        },
    ]


def runs(
    words: Mapping[str, str], measure: str, named: Mapping[str, str], *, numbers: tuple[int, int], most: float
) -> Spec:
    """Runs of the log in the order they were made; rows of `tables.lifecycle.runs`.

    Args:
        words: number, value, model, prompt, temperature, seed, tokens, seconds, none, up, down.
        measure: Column that is drawn.
        named: Id of each model -> its name.
        numbers: First and last number of a run.
        most: End of the axis of values.
    """
    names = f"({_json(dict(named))})[datum.value]"
    known = list(named)[: len(_MODEL_COLORS)]
    color = {
        "field": "model", "type": "nominal", "scale": {"domain": known,
        "range": list(_MODEL_COLORS[: len(known)])},
        "legend": {"title": None, "orient": "top", "labelExpr": names, "columns": legend_columns(2),
        "labelLimit": 300},
    }  # fmt: skip
    shape = {
        "field": "opinion", "type": "nominal", "scale": {"domain": list(_THUMBS), "range": list(_SHAPES)},
        "legend": {
            "title": None, "orient": "top", "columns": legend_columns(3), "symbolSize": 110,
            "symbolFillColor": NEUTRAL, "symbolStrokeColor": NEUTRAL,
            "labelExpr": f"({_json({one: words[one] for one in _THUMBS})})[datum.value]",
        },
    }  # fmt: skip
    tooltip = [
        {"field": "number", "type": "quantitative", "title": words["number"]},
        {"field": measure, "type": "quantitative", "title": words["value"], "format": ".3~f"},
        *(
            {"field": field, "type": "quantitative", "title": words[field], "format": ".3~f"}
            for field in ("temperature", "seed", "tokens", "seconds")
        ),
        {"field": "prompt", "type": "nominal", "title": words["prompt"]},
    ]
    low, high = numbers
    return {
        "height": 220,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "transform": [
            {"calculate": "datum.thumb || 'none'", "as": "opinion"},
            {"filter": f"isValid(datum['{measure}'])"},
        ],
        "mark": {"type": "point", "filled": True, "size": 130, "opacity": 0.9},
        "encoding": {
            "x": {
                "field": "number", "type": "quantitative", "title": words["number"],
                "scale": {"domain": [low - 0.5, high + 0.5], "nice": False},
                "axis": {"format": "d", "tickMinStep": 1, "grid": False},
            },
            "y": {
                "field": measure, "type": "quantitative", "title": words["value"],
                "scale": {"domain": [0, most], "nice": False, "clamp": True},
            },
            "color": color,
            "shape": shape,
            "tooltip": tooltip,
        },
    }  # fmt: skip


def drift(words: Mapping[str, str], n_texts: int) -> Spec:
    """Bits per byte of each text under two models, a line between both; rows of `tables.lifecycle.shifts`.

    Args:
        words: bits, text, a, b, shift, prompt, and by_a and by_b for who wrote the text.
        n_texts: Texts that are drawn.
    """
    x = {
        "type": "quantitative", "title": words["bits"], "axis": {"tickCount": 6},
        "scale": {"domain": [0, MOST_BITS], "nice": False, "clamp": True},
    }  # fmt: skip
    y = {
        "field": "number", "type": "ordinal", "title": words["text"],
        "scale": {"domain": list(range(1, n_texts + 1))}, "axis": {"ticks": False, "grid": True},
    }  # fmt: skip
    scale = {"domain": ["a", "b"], "range": [BEFORE, AFTER]}
    named = f"({_json({'a': words['a'], 'b': words['b']})})[datum.value]"
    legend = {
        "title": None, "orient": "top", "labelExpr": named, "columns": legend_columns(2), "labelLimit": 320,
        "symbolSize": 130,
    }  # fmt: skip
    tooltip = [
        {"field": "prompt", "type": "nominal", "title": words["prompt"]},
        {"field": "by", "type": "nominal", "title": words["text"]},
        {"field": "bits_a", "type": "quantitative", "title": words["a"], "format": ".3f"},
        {"field": "bits_b", "type": "quantitative", "title": words["b"], "format": ".3f"},
        {"field": "shift", "type": "quantitative", "title": words["shift"], "format": ".3f"},
    ]
    by = {"calculate": f"({_json({'a': words['by_a'], 'b': words['by_b']})})[datum.written_by]", "as": "by"}
    folded = [
        {"fold": ["bits_a", "bits_b"], "as": ["which", "value"]},
        {"calculate": "datum.which == 'bits_a' ? 'a' : 'b'", "as": "under"},
    ]
    return {
        "height": 24 * n_texts,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "transform": [by],
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": NEUTRAL},
                "encoding": {
                    "y": y, "x": x | {"field": "bits_a"}, "x2": {"field": "bits_b"}, "tooltip": tooltip,
                },
            },
            {
                "transform": folded,
                "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1},
                "encoding": {
                    "y": y, "x": x | {"field": "value"}, "tooltip": tooltip,
                    "color": {"field": "under", "type": "nominal", "scale": scale, "legend": legend},
                    "shape": {
                        "field": "under", "type": "nominal", "legend": legend,
                        "scale": {"domain": ["a", "b"], "range": ["circle", "diamond"]},
                    },
                },
            },
        ],
    }  # fmt: skip


def signs(words: Mapping[str, str], names: Sequence[str]) -> Spec:
    """Shares of runs with a sign, with their intervals; rows of `tables.lifecycle.signs`.

    Args:
        words: share, low, high, n_true, n, sign.
        names: Names of the signs, in order.
    """
    y = {
        "field": "sign", "type": "nominal", "title": None, "scale": {"domain": list(names)},
        "axis": {"labelLimit": 170, "ticks": False},
    }  # fmt: skip
    x = {
        "field": "share", "type": "quantitative", "title": words["share"],
        "axis": {"format": "%", "tickCount": 5}, "scale": {"domain": [0, 1], "nice": False},
    }  # fmt: skip
    tooltip = [
        {"field": "sign", "type": "nominal", "title": words["sign"]},
        {"field": "n_true", "type": "quantitative", "title": words["n_true"]},
        {"field": "n", "type": "quantitative", "title": words["n"]},
        *(
            {"field": field, "type": "quantitative", "title": words[field], "format": ".1%"}
            for field in ("share", "low", "high")
        ),
    ]
    shared = {"y": y, "tooltip": tooltip}
    return {
        "height": 38 * len(names),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": NEUTRAL},
                "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1, "color": QUERY},
                "encoding": shared | {"x": x},
            },
        ],
        "config": LOCALE,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
