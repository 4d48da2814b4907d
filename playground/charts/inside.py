"""Pictures of the way through the layers: ranks, the residual stream, logit attribution, activation patching.

Vega-Lite dicts with a constant specification; the rows come beside them, so a chart is updated in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    COUNT,
    CUT,
    KEY,
    LOCALE,
    PERCENT,
    QUERY,
    SIGNED,
    VALUE,
    legend_columns,
    side_by_side,
)

Spec = dict[str, Any]
LINES = [QUERY, KEY, VALUE, AFTER, "#CC79A7", CUT]
DASHES = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [5, 5], [3, 1]]


def rank_lines(words: Mapping[str, str], d_vocab: int) -> Spec:
    """Rank of each token after each layer, logarithmic, 1 on top; rows of `tables.inside.rank_lines`.

    Args:
        words: layer, rank, prob in the reader's language.
        d_vocab: The last rank there is.
    """
    legend = {"title": None, "orient": "bottom", "columns": legend_columns(3, 2),
              "labelFont": "monospace", "labelLimit": 190, "labelFontSize": 13,
              "symbolType": "stroke", "symbolSize": 500}  # fmt: skip
    shared = {"field": "token", "type": "nominal", "sort": None, "legend": legend}
    return {
        "height": 400,
        "encoding": {
            "x": _layers(words["layer"]),
            "y": {
                "field": "rank",
                "type": "quantitative",
                "title": words["rank"],
                "scale": {"type": "log", "domain": [1, d_vocab], "reverse": True, "nice": False},
                "axis": {"values": [10**power for power in range(7)], "format": "~s"},
            },
            "color": shared | {"scale": {"range": LINES}},
            "strokeDash": shared | {"scale": {"range": DASHES}},
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.4}},
            {
                "mark": {"type": "circle", "size": 30, "opacity": 1},
                "encoding": {
                    "tooltip": [
                        {"field": "token"},
                        {"field": "layer", "title": words["layer"]},
                        {"field": "rank", "title": words["rank"], "format": COUNT},
                        {"field": "prob", "title": words["prob"], "format": PERCENT},
                    ]
                },
            },
        ],
        "config": LOCALE,
    }


def stream_lines(words: Mapping[str, str]) -> Spec:
    """Length of the state, logarithmic, beside its cosine to the last; rows of `tables.inside.stream`.

    Args:
        words: layer, norm, cosine in the reader's language.
    """
    norm = {"field": "norm", "type": "quantitative", "title": words["norm"], "scale": {"type": "log"}}
    cosine = {
        "field": "cosine",
        "type": "quantitative",
        "title": words["cosine"],
        "scale": {"domain": [-1, 1]},
    }
    pair = [_line(norm, QUERY, words), _line(cosine, VALUE, words)]
    return side_by_side(pair, 40)


def _line(y: Mapping[str, Any], colour: str, words: Mapping[str, str]) -> Spec:
    field = y["field"]
    tooltip = [
        {"field": "layer", "title": words["layer"]},
        {"field": field, "title": words[field], "format": ".4~g"},
    ]
    return {
        "width": 284,
        "height": 200,
        "mark": {"type": "line", "color": colour, "strokeWidth": 2.4, "point": {"color": colour, "size": 30}},
        "encoding": {"x": _layers(words["layer"]), "y": dict(y), "tooltip": tooltip},
    }


def attribution_bars(words: Mapping[str, str]) -> Spec:
    """Share of each part in a logit, layer by layer; rows of `tables.inside.attribution`.

    Args:
        words: layer, logit, and the parts embedding, attention, mlp, bias in the reader's language.
    """
    kinds = ["embedding", "attention", "mlp", "bias"]
    cases = " : ".join(
        f"datum.label === '{kind}' ? {json.dumps(words[kind], ensure_ascii=False)}" for kind in kinds
    )
    color = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": kinds, "range": [BEFORE, KEY, VALUE, CUT]},
        "legend": {"title": None, "orient": "top", "columns": legend_columns(), "labelExpr": f"{cases} : ''"},
    }
    return {
        "height": 300,
        "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "layer", "type": "ordinal", "title": words["layer"], "axis": {"labelAngle": 0}},
            "xOffset": {"field": "part", "type": "nominal", "sort": kinds},
            "y": {"field": "logit", "type": "quantitative", "title": words["logit"]},
            "color": color,
            "tooltip": [
                {"field": "layer", "title": words["layer"]},
                {"field": "part"},
                {"field": "logit", "title": words["logit"], "format": ".4f"},
            ],
        },
    }


def strips(words: Mapping[str, str]) -> Spec:
    """Vectors as strips, one stripe per number; rows of `tables.inside.tensors`.

    Orange is below 0, violet above, the paper at 0.

    Args:
        words: dimension, value, scaled in the reader's language.
    """
    return {
        "height": {"step": 34},
        "transform": [{"calculate": "datum.dimension + 1", "as": "next"}],
        "mark": {"type": "rect"},
        "encoding": {
            "x": {
                "field": "dimension",
                "type": "quantitative",
                "title": words["dimension"],
                "scale": {"nice": False, "zero": False},
                "axis": {"grid": False},
            },
            "x2": {"field": "next"},
            "y": {
                "field": "tensor",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"labelLimit": 230, "labelFontSize": 13},
            },
            "color": {
                "field": "scaled",
                "type": "quantitative",
                "title": words["scaled"],
                "scale": {"domain": [-3, 3], "domainMid": 0, "range": SIGNED, "clamp": True},
                "legend": {"orient": "bottom", "gradientLength": 200},
            },
            "tooltip": [
                {"field": "tensor", "title": ""},
                {"field": "dimension", "title": words["dimension"]},
                {"field": "value", "title": words["value"], "format": ".6~g"},
            ],
        },
    }


def patch_bars(words: Mapping[str, str]) -> Spec:
    """Next tokens before and after activation patching, two bars each; rows of `tables.inside.patched`.

    Args:
        words: token, prob, before, after in the reader's language.
    """
    before, after = (json.dumps(words[when], ensure_ascii=False) for when in ("before", "after"))
    when = {"field": "when", "type": "nominal", "sort": ["before", "after"]}
    return {
        "height": {"step": 15},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "token",
                "type": "nominal",
                "sort": {"field": "place"},
                "title": None,
                "axis": {"labelFont": "monospace", "labelFontSize": 13, "labelLimit": 190},
            },
            "yOffset": when,
            "x": {
                "field": "prob",
                "type": "quantitative",
                "title": words["prob"],
                "scale": {"domain": [0, 1]},
                "axis": {"format": ".0%"},
            },
            "color": when
            | {
                "scale": {"domain": ["before", "after"], "range": [BEFORE, AFTER]},
                "legend": {
                    "title": None,
                    "orient": "top",
                    "columns": legend_columns(),
                    "labelLimit": 400,
                    "labelExpr": f"datum.label === 'before' ? {before} : {after}",
                },
            },
            "tooltip": [
                {"field": "token", "title": words["token"]},
                {"field": "when", "title": ""},
                {"field": "prob", "title": words["prob"], "format": PERCENT},
            ],
        },
        "config": LOCALE,
    }


def _layers(title: str) -> Spec:
    return {"field": "layer", "type": "quantitative", "title": title, "axis": {"tickMinStep": 1},
            "scale": {"nice": False}}  # fmt: skip
