"""Pictures of a reward model: losses, judges beside each other, correlations, an answer token by token."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import AFTER, KEY, LOCALE, NEUTRAL, PERCENT, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
ROW = 34  # pixels of a judge or feature
MOST_NATS = 1.4  # of the axis of losses: twice that of a guess
_ABOVE = {"orient": "top", "title": None, "columns": legend_columns(), "labelLimit": 300}


def losses(words: Mapping[str, str], *, n_steps: int) -> Spec:
    """Vega-Lite of losses against the steps; rows of `tables.rewards.losses`.

    Args:
        words: step, loss, train, held_out, guess in the reader's language.
        n_steps: End of the axis of steps.
    """
    colour = {
        "field": "set", "type": "nominal",
        "legend": _ABOVE | {"labelExpr": _names(words, "train", "held_out")},
        "scale": {"domain": ["train", "held_out"], "range": [QUERY, AFTER]},
    }  # fmt: skip
    y = {
        "type": "quantitative", "title": words["loss"], "scale": {"domain": [0, MOST_NATS], "clamp": True},
    }  # fmt: skip
    x = {
        "field": "step", "type": "quantitative", "title": words["step"], "axis": {"format": "d"},
        "scale": {"domain": [0, n_steps]},
    }  # fmt: skip
    tooltip = [
        {"field": "step", "type": "quantitative", "title": words["step"]},
        {"field": "loss", "type": "quantitative", "title": words["loss"], "format": ".3f"},
    ]
    drawn = {"x": x, "y": y | {"field": "loss"}, "color": colour, "tooltip": tooltip}
    guess = {"y": y | {"datum": math.log(2)}}
    return {
        "width": "container", "height": 250,
        "layer": [
            {"mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [5, 4]}, "encoding": guess},
            {
                "mark": {"type": "text", "align": "right", "dy": -8, "color": NEUTRAL, "fontSize": 12},
                "encoding": guess | {"x": {"value": "width"}, "text": {"value": words["guess"]}},
            },
            {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": drawn},
            {
                "transform": [{"filter": "datum.set == 'held_out'"}],
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}, "encoding": drawn,
            },
        ],
    }  # fmt: skip


def accuracies(words: Mapping[str, str], *, sets: Mapping[str, str], judges: Sequence[str]) -> Spec:
    """Vega-Lite of the share of pairs in the right order; rows of `tables.rewards.accuracies`.

    Args:
        words: share, judge, pairs, right, chance in the reader's language.
        sets: Set of pairs -> its name.
        judges: Names of the judges, from above.
    """
    names = list(sets)
    colours = [AFTER, VALUE, QUERY][: len(names)]
    place = {"field": "set", "type": "nominal", "sort": names, "scale": {"domain": names}}
    x = {
        "type": "quantitative", "title": words["share"], "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]},
    }  # fmt: skip
    colour = place | {
        "legend": _ABOVE | {"labelExpr": _names(sets, *names)},
        "scale": {"domain": names, "range": colours},
    }
    tooltip = [
        {"field": "judge", "type": "nominal", "title": words["judge"]},
        {"field": "share", "type": "quantitative", "title": words["share"], "format": PERCENT},
        {"field": "right", "type": "quantitative", "title": words["right"]},
        {"field": "n", "type": "quantitative", "title": words["pairs"]},
    ]
    drawn = {
        "y": {
            "field": "judge", "type": "nominal", "sort": list(judges), "title": None,
            "axis": {"labelLimit": 190, "labelFontSize": 13},
        },
        "yOffset": place, "tooltip": tooltip, "color": colour,
    }  # fmt: skip
    return {
        "width": "container",
        "height": {"step": ROW},
        "layer": [
            {
                "mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [4, 4]},
                "encoding": {"x": x | {"datum": 0.5}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
                "encoding": drawn | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": drawn | {"x": x | {"field": "share"}, "shape": place | {"legend": None}},
            },
        ],
        "config": LOCALE,
    }


def correlations(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of correlations with their intervals; rows of `tables.rewards.correlations` with `name`.

    Args:
        words: correlation, feature in the reader's language.
    """
    x = {
        "type": "quantitative", "title": words["correlation"], "scale": {"domain": [-1, 1]},
        "axis": {"values": [-1, -0.5, 0, 0.5, 1], "format": "~g"},
    }  # fmt: skip
    tooltip = [
        {"field": "name", "type": "nominal", "title": words["feature"]},
        {"field": "value", "type": "quantitative", "title": words["correlation"], "format": ".2f"},
    ]
    return {
        "width": "container", "height": {"step": ROW},
        "encoding": {
            "y": {
                "field": "name", "type": "nominal", "sort": None, "title": None,
                "axis": {"labelLimit": 190, "labelFontSize": 13},
            },
            "tooltip": tooltip,
        },
        "layer": [
            {
                "mark": {"type": "bar", "color": QUERY, "height": 14},
                "encoding": {"x": x | {"field": "value"}, "x2": {"datum": 0}},
            },
            {
                "mark": {"type": "rule", "color": NEUTRAL, "strokeWidth": 2},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
        ],
    }  # fmt: skip


def beginnings(words: Mapping[str, str], *, names: tuple[str, str], most: float, longest: int) -> Spec:
    """Vega-Lite of the reward of each beginning of two answers; rows of `tables.rewards.beginnings`.

    Args:
        words: token, place, reward, change, answer in the reader's language.
        names: Names of the answers.
        most: Both ends of the axis of rewards.
        longest: Tokens of the longer answer.
    """
    ends = {"domain": list(names), "range": [QUERY, KEY]}
    colour = {"field": "answer", "type": "nominal", "scale": ends, "legend": _ABOVE}
    shape = {"field": "answer", "type": "nominal", "scale": {"domain": list(names)}, "legend": None}
    x = {
        "field": "place", "type": "quantitative", "title": words["place"],
        "axis": {"format": "d", "tickMinStep": 1}, "scale": {"domain": [0, longest + 1]},
    }  # fmt: skip
    y = {
        "field": "reward", "type": "quantitative", "title": words["reward"],
        "scale": {"domain": [-most, most]},
    }  # fmt: skip
    tooltip = [
        {"field": "token", "type": "nominal", "title": words["token"]},
        {"field": "reward", "type": "quantitative", "title": words["reward"], "format": "+.2f"},
        {"field": "change", "type": "quantitative", "title": words["change"], "format": "+.2f"},
        {"field": "answer", "type": "nominal", "title": words["answer"]},
    ]
    drawn = {"x": x, "y": y, "color": colour, "tooltip": tooltip}
    return {
        "width": "container", "height": 290,
        "layer": [
            {
                "mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [4, 4]},
                "encoding": {"y": {key: y[key] for key in ("type", "title", "scale")} | {"datum": 0}},
            },
            {"mark": {"type": "line", "strokeWidth": 1.6, "opacity": 0.6}, "encoding": drawn},
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": drawn | {"shape": shape},
            },
            {
                "transform": [{"filter": "datum.is_named"}],
                "mark": {"type": "text", "dy": -13, "fontSize": 13},
                "encoding": drawn | {"text": {"field": "token", "type": "nominal"}},
            },
        ],
    }  # fmt: skip


def _names(words: Mapping[str, str], *ids: str) -> str:
    """Vega expression that gives each id its name."""
    return f"({json.dumps({one: words[one] for one in ids}, ensure_ascii=False)})[datum.value]"
