"""Pictures of a class's poll: the votes, and beside them what the model says of each option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from playground.charts.theme import LOCALE, NEUTRAL, PERCENT, QUERY, VALUE, side_by_side

Spec = dict[str, Any]
ROW = 46  # pixels of an option
NUMBER = {"type": "text", "align": "left", "dx": 4, "dy": -15, "fontSize": 13, "color": NEUTRAL}


def result(words: Mapping[str, str], *, measure: Literal["share", "bits", ""], most: float = 1.0) -> Spec:
    """Vega-Lite of a poll's result; rows of `tables.polls.results`.

    Args:
        words: option, votes, share, interval, model in the reader's language.
        measure: The model's value of an option: a share of 1, bits, or none.
        most: End of the axis of bits.
    """
    panels = [_votes(words)]
    if measure:
        panels.append(_model(words, measure, most))
    return side_by_side(panels, 26) | {"config": LOCALE}


def _option() -> Spec:
    return {
        "field": "label", "type": "nominal", "sort": None, "title": None,
        "axis": {"labelLimit": 230, "labelFontSize": 15},
    }  # fmt: skip


def _tooltip(words: Mapping[str, str]) -> list[Spec]:
    return [
        {"field": "option", "type": "nominal", "title": words["option"]},
        {"field": "votes", "type": "quantitative", "title": words["votes"]},
        {"field": "share", "type": "quantitative", "title": words["share"], "format": PERCENT},
    ]


def _votes(words: Mapping[str, str]) -> Spec:
    x = {
        "field": "share", "type": "quantitative", "title": words["share"],
        "scale": {"domain": [0, 1]}, "axis": {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]},
    }  # fmt: skip
    written = {
        "field": "votes", "type": "quantitative", "format": "d",
    }  # fmt: skip
    return {
        "width": 300, "height": {"step": ROW},
        "encoding": {"y": _option(), "tooltip": _tooltip(words)},
        "layer": [
            {"mark": {"type": "bar", "color": QUERY, "height": 22}, "encoding": {"x": x}},
            {
                "mark": {"type": "rule", "color": NEUTRAL, "strokeWidth": 3, "opacity": 0.8},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"},
                },
            },
            {
                "mark": NUMBER,
                "encoding": {"x": {"datum": 0}, "text": written},
            },
        ],
    }  # fmt: skip


def _model(words: Mapping[str, str], measure: Literal["share", "bits"], most: float) -> Spec:
    is_share = measure == "share"
    axis = {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]} if is_share else {"format": "~g"}
    x = {
        "field": "measure", "type": "quantitative", "title": words["model"],
        "scale": {"domain": [0, 1 if is_share else most]}, "axis": axis,
    }  # fmt: skip
    number = {"field": "measure", "type": "quantitative", "format": PERCENT if is_share else ".3~f"}
    return {
        "width": 260, "height": {"step": ROW},
        "encoding": {
            "y": _option() | {"axis": {"labels": False, "ticks": False}},
            "tooltip": [*_tooltip(words)[:1], number | {"title": words["model"]}],
        },
        "layer": [
            {"mark": {"type": "bar", "color": VALUE, "height": 22}, "encoding": {"x": x}},
            {
                "mark": NUMBER,
                "encoding": {"x": {"datum": 0}, "text": number},
            },
        ],
    }  # fmt: skip
