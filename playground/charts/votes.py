"""Pictures of votes: Bradley-Terry strengths with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.charts.theme import NEUTRAL, QUERY

Spec = dict[str, Any]
ROW = 38  # pixels of an item
MOST = 5.0  # nats of odds: 148 to 1; what is beyond is drawn at the edge


def strengths(words: Mapping[str, str]) -> Spec:
    """Vega-Lite of strengths; rows of `tables.votes.strengths`.

    Args:
        words: strength, low, high, won, lost, item in the reader's language.
    """
    x = {
        "type": "quantitative", "title": words["strength"],
        "scale": {"domain": [-MOST, MOST], "clamp": True},
        "axis": {"values": [-4, -2, 0, 2, 4], "format": "d"},
    }  # fmt: skip
    tooltip = [
        {"field": "name", "type": "nominal", "title": words["item"]},
        *(
            {"field": field, "type": "quantitative", "title": words[field], "format": ".2f"}
            for field in ("strength", "low", "high")
        ),
        *({"field": field, "type": "quantitative", "title": words[field]} for field in ("won", "lost")),
    ]
    name = {
        "field": "name", "type": "nominal", "title": None,
        "sort": {"field": "strength", "op": "max", "order": "descending"},
        "axis": {"labelLimit": 190, "labelFontSize": 14},
    }  # fmt: skip
    drawn = {"y": name, "tooltip": tooltip}
    return {
        "width": "container",
        "height": {"step": ROW},
        "layer": [
            {
                "mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [4, 4]},
                "encoding": {"x": x | {"datum": 0}},
            },
            {
                "mark": {"type": "rule", "color": QUERY, "strokeWidth": 3, "opacity": 0.55},
                "encoding": drawn | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 110, "color": QUERY, "opacity": 1},
                "encoding": drawn | {"x": x | {"field": "strength"}},
            },
            {
                "mark": {"type": "text", "dy": -13, "fontSize": 12, "color": NEUTRAL},
                "encoding": drawn
                | {
                    "x": x | {"field": "strength"},
                    "text": {"field": "strength", "type": "quantitative", "format": "+.2f"},
                },
            },
        ],
    }
