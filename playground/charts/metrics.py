"""Pictures of the page Evaluation: the brevity penalty, votes against metrics, own predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    COUNT,
    NEUTRAL,
    QUERY,
    VALUE,
    legend_columns,
    side_by_side,
)

Spec = dict[str, Any]


def brevity(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of BLEU's brevity penalty and the candidate's place; rows of `tables.metrics.brevity_curve`.

    Args:
        words: ratio, penalty, here in the reader's language.
    """
    x = {
        "field": "ratio", "type": "quantitative", "title": words["ratio"],
        "scale": {"domain": [0, 2], "nice": False}, "axis": {"format": ".1f", "tickCount": 5},
    }  # fmt: skip
    y = {
        "field": "penalty", "type": "quantitative", "title": words["penalty"],
        "scale": {"domain": [0, 1.05], "nice": False}, "axis": {"format": ".1f", "values": [0, 0.5, 1]},
    }  # fmt: skip
    tooltip = [
        {"field": "ratio", "type": "quantitative", "title": words["ratio"], "format": ".2f"},
        {"field": "penalty", "type": "quantitative", "title": words["penalty"], "format": ".3f"},
    ]
    left, right = (
        {"filter": "datum.is_here && datum.ratio <= 1"},
        {"filter": "datum.is_here && datum.ratio > 1"},
    )
    word = {"type": "text", "color": NEUTRAL, "fontSize": 13, "limit": 150, "text": words["here"]}
    return {
        "height": 190,
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {"transform": [{"filter": "!datum.is_here"}], "mark": {"type": "line", "color": QUERY}},
            {
                "transform": [{"filter": "datum.is_here"}],
                "mark": {"type": "point", "filled": True, "size": 130, "color": AFTER, "opacity": 1},
            },
            {"transform": [left], "mark": word | {"align": "left", "dx": 12, "dy": 16}},
            {"transform": [right], "mark": word | {"align": "right", "dx": 4, "dy": 20}},
        ],
    }


def votes(words: Mapping[str, str], *, n_votes: int) -> Spec:
    """Vega-Lite of votes against each metric; rows of `tables.metrics.votes_against`.

    Args:
        words: votes, value, answer, bleu, rouge_l, cosine, good, bad, reader in the reader's language.
        n_votes: Length of the axis.
    """
    panels = [_votes(words, metric, n_votes) for metric in ("bleu", "rouge_l", "cosine")]
    return side_by_side(panels, 26)


def _votes(words: Mapping[str, str], metric: str, n_votes: int) -> Spec:
    x = {
        "field": "value", "type": "quantitative", "title": words["value"],
        "scale": {"domain": [-0.05, 1.05], "nice": False}, "axis": {"values": [0, 0.5, 1]},
    }  # fmt: skip
    y = {
        "field": "votes", "type": "quantitative", "title": words["votes"],
        "scale": {"domain": [-0.5, n_votes + 0.5], "nice": False},
        "axis": {"format": COUNT, "tickMinStep": 1},
    }  # fmt: skip
    tooltip = [
        {"field": "number", "type": "quantitative", "title": words["answer"], "format": COUNT},
        {"field": "value", "type": "quantitative", "title": words["value"], "format": ".3f"},
        {"field": "votes", "type": "quantitative", "title": words["votes"], "format": COUNT},
    ]
    kinds = ["good", "bad", "reader"]
    named = [f"datum.value === '{kind}' ? {_string(words[kind])}" for kind in kinds[:2]]
    legend = {
        "title": None, "orient": "top", "labelExpr": " : ".join([*named, _string(words["reader"])]),
        "labelLimit": 240, "columns": legend_columns(),
    }  # fmt: skip
    color = {
        "field": "kind", "type": "nominal", "scale": {"domain": kinds, "range": [VALUE, AFTER, QUERY]},
        "legend": legend,
    }  # fmt: skip
    shapes = {"domain": kinds, "range": ["circle", "triangle-down", "square"]}
    shape = {"field": "kind", "type": "nominal", "scale": shapes, "legend": legend}
    number = {"type": "text", "dx": 9, "align": "left", "color": NEUTRAL, "fontSize": 12}
    return {
        "width": 190,
        "height": 200,
        "title": {"text": words[metric], "color": NEUTRAL, "fontSize": 13},
        "transform": [{"filter": f"datum.metric === '{metric}'"}],
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.85},
                "encoding": {"color": color, "shape": shape},
            },
            {
                "mark": number,
                "encoding": {"text": {"field": "number", "type": "quantitative", "format": COUNT}},
            },
        ],
    }


def histogram(words: Mapping[str, str], *, most: float) -> Spec:
    """Vega-Lite of the number of rows by their score; rows of `tables.own_predictions.histogram`.

    Args:
        words: score, rows in the reader's language.
        most: Largest possible score.
    """
    bins = {"step": most / 20, "extent": [0, most]}
    x = {
        "field": "score", "type": "quantitative", "title": words["score"], "bin": bins,
        "scale": {"domain": [0, most], "nice": False}, "axis": {"tickCount": 5},
    }  # fmt: skip
    y = {"aggregate": "count", "type": "quantitative", "title": words["rows"], "axis": {"tickMinStep": 1}}
    tooltip = [
        {"field": "score", "type": "quantitative", "title": words["score"], "bin": bins},
        {"aggregate": "count", "type": "quantitative", "title": words["rows"], "format": COUNT},
    ]
    return {
        "height": 210,
        "mark": {"type": "bar", "color": QUERY},
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
    }


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
