"""Pictures of the page Evaluation: the brevity penalty, votes against metrics, scores of many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    COUNT,
    CUT,
    KEY,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
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
    here = {"filter": "datum.is_here"}
    word = {"type": "text", "color": NEUTRAL, "fontSize": 13, "dy": 20, "limit": 140, "text": words["here"]}
    return {
        "height": 190,
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {"transform": [{"filter": "!datum.is_here"}], "mark": {"type": "line", "color": QUERY}},
            {"transform": [here], "mark": {"type": "point", "filled": True, "size": 130, "color": AFTER}},
            {
                "transform": [here, {"calculate": "datum.ratio > 1.5 ? 'right' : 'left'", "as": "side"}],
                "mark": word | {"align": {"expr": "datum.ratio > 1.5 ? 'right' : 'left'"}, "dx": 2},
            },
        ],
    }


def votes(words: Mapping[str, str], *, n_votes: int) -> Spec:
    """Vega-Lite of votes against each metric; rows of `tables.metrics.votes_against`.

    Args:
        words: votes, metric, value, answer, bleu, rouge_l, cosine, good, bad, reader in the reader's language.
        n_votes: Length of the axis.
    """
    names = {"bleu": words["bleu"], "rouge_l": words["rouge_l"], "cosine": words["cosine"]}
    x = {
        "field": "value", "type": "quantitative", "title": words["value"],
        "scale": {"domain": [-0.05, 1.05], "nice": False}, "axis": {"values": [0, 0.25, 0.5, 0.75, 1]},
    }  # fmt: skip
    y = {
        "field": "votes", "type": "quantitative", "title": words["votes"],
        "scale": {"domain": [-0.5, n_votes + 0.5], "nice": False},
        "axis": {"format": COUNT, "tickMinStep": 1},
    }  # fmt: skip
    kinds = {
        "domain": ["good", "bad", "reader"],
        "range": [VALUE, AFTER, QUERY],
    }
    label = {
        "expr": " : ".join(f"datum.value === '{kind}' ? {_string(words[kind])}" for kind in ("good", "bad"))
        + f" : {_string(words['reader'])}"
    }
    legend = {
        "title": None, "orient": "top", "labelExpr": label["expr"], "labelLimit": 300, "columns": legend_columns(),
    }  # fmt: skip
    tooltip = [
        {"field": "text", "type": "nominal", "title": words["answer"]},
        {"field": "value", "type": "quantitative", "title": words["metric"], "format": ".3f"},
        {"field": "votes", "type": "quantitative", "title": words["votes"], "format": COUNT},
    ]
    color = {"field": "kind", "type": "nominal", "scale": kinds, "legend": legend}
    shape = {"field": "kind", "type": "nominal", "scale": {"domain": kinds["domain"]}, "legend": legend}
    panels = [
        {
            "width": 190, "height": 210,
            "title": {"text": names[metric], "color": NEUTRAL, "fontSize": 13},
            "transform": [{"filter": f"datum.metric === '{metric}'"}],
            "encoding": {"x": x, "y": y},
            "layer": [
                {
                    "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.85},
                    "encoding": {"color": color, "shape": shape, "tooltip": tooltip},
                },
                {
                    "mark": {"type": "text", "dx": 9, "align": "left", "color": NEUTRAL, "fontSize": 12},
                    "encoding": {"text": {"field": "number", "type": "quantitative", "format": COUNT}},
                },
            ],
        }
        for metric in names
    ]  # fmt: skip
    from playground.charts.theme import side_by_side

    return side_by_side(panels, 26)


def _string(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def histogram(words: Mapping[str, str], *, most: float) -> Spec:
    """Vega-Lite of how many rows have which score; rows of `tables.own_predictions.scores`.

    Args:
        words: score, rows in the reader's language.
        most: Largest possible score.
    """
    step = most / 20
    x = {
        "field": "score", "type": "quantitative", "title": words["score"], "bin": {"step": step, "extent": [0, most]},
        "scale": {"domain": [0, most], "nice": False},
    }  # fmt: skip
    y = {"aggregate": "count", "type": "quantitative", "title": words["rows"], "axis": {"tickMinStep": 1}}
    tooltip = [
        {**x, "title": words["score"]},
        {"aggregate": "count", "type": "quantitative", "title": words["rows"], "format": COUNT},
    ]
    return {
        "height": 220,
        "mark": {"type": "bar", "color": QUERY},
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
    }


def confusion(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of a confusion matrix; rows of `tables.own_predictions.confusion`.

    Args:
        words: right, predicted, n in the reader's language.
    """
    return {"mark": "rect"}
