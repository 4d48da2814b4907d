"""Pictures of the embedding table: neighbours, a vector, histograms.

Vega-Lite dicts with a constant specification; the rows come beside them, so a chart is updated in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AFTER, BEFORE, COUNT, CUT, LOCALE, QUERY, legend_columns, side_by_side

THREE_DIGITS = ".3f"
INK = "currentColor"  # the page's own text colour, in either theme
ENDS = {"labelFlush": True, "labelFlushOffset": -2}  # the last number of an axis stays inside the picture
PAPER = "Canvas"  # its paper, by the page's colour scheme


def neighbour_bars(measures: Mapping[str, str], words: Mapping[str, str], width: int) -> dict[str, Any]:
    """The nearest tokens, one column of bars per measure, each with the band of random pairs behind it.

    Args:
        measures: Measure -> its title, in order.
        words: token, id, similarity, rank, random in the reader's language.
        width: Width of one column of bars in pixels.
    """
    columns = [_bars(name, title, words) | {"width": width} for name, title in measures.items()]
    return side_by_side(columns, 18)


def _bars(measure: str, title: str, words: Mapping[str, str]) -> dict[str, Any]:
    y = {
        "field": "row",
        "type": "nominal",
        "sort": {"field": "place"},
        "title": None,
        "axis": {"labelLimit": 130, "ticks": False, "domain": False, "labelFontSize": 13},
    }
    x = {"field": "similarity", "type": "quantitative", "title": None, "axis": {"tickCount": 4} | ENDS}
    tooltip = [
        {"field": "token", "title": words["token"]},
        {"field": "token_id", "title": words["id"], "format": COUNT},
        {"field": "similarity", "title": words["similarity"], "format": ".4f"},
        {"field": "rank", "title": words["rank"], "format": COUNT},
        {"field": "random_mean", "title": words["random"], "format": THREE_DIGITS},
    ]
    band = {
        "mark": {"type": "rect", "color": CUT, "opacity": 0.22},
        "encoding": {
            "x": {"field": "random_low", "type": "quantitative", "aggregate": "min"},
            "x2": {"field": "random_high", "aggregate": "max"},
        },
    }
    line = {
        "mark": {"type": "rule", "color": CUT, "strokeDash": [5, 4], "strokeWidth": 2},
        "encoding": {"x": {"field": "random_mean", "type": "quantitative", "aggregate": "mean"}},
    }
    bar = {
        "mark": {"type": "bar", "color": QUERY, "height": {"band": 0.62}},
        "encoding": {"y": y, "x": x, "tooltip": tooltip},
    }
    number = {
        "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": INK},
        "encoding": {
            "y": y,
            "x": x,
            "text": {"field": "similarity", "type": "quantitative", "format": THREE_DIGITS},
        },
    }
    return {
        "transform": [{"filter": f"datum.measure === '{measure}'"}],
        "title": {"text": title, "fontSize": 14, "anchor": "start", "fontWeight": 600},
        "height": 250,
        "layer": [band, bar, line, number],
    }


def vector_strip(words: Mapping[str, str]) -> dict[str, Any]:
    """Every number of one vector as a bar, and the average vector of the table as a thin line over it.

    Args:
        words: dimension, value, average, this in the reader's language.
    """
    x = {
        "field": "dimension",
        "type": "quantitative",
        "title": words["dimension"],
        "scale": {"nice": False},
    }
    tooltip = [
        {"field": "dimension", "title": words["dimension"]},
        {"field": "value", "title": words["value"], "format": ".4f"},
        {"field": "average", "title": words["average"], "format": ".4f"},
    ]
    value = {"field": "value", "type": "quantitative", "title": words["value"]}
    return {
        "height": 170,
        "layer": [
            {
                "mark": {"type": "line", "color": AFTER, "strokeWidth": 1.4, "opacity": 0.85},
                "encoding": {"x": x, "y": {"field": "average", "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "color": QUERY, "strokeWidth": 1.3},
                "encoding": {"x": x, "y": value, "y2": {"datum": 0}},
            },
            {
                "mark": {"type": "bar", "opacity": 0},
                "encoding": {"x": x, "y": value, "tooltip": tooltip},
            },
        ],
    }


def histogram(series: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    """Histogram of one or two series, the second hatched by its outline, with a rule at the current value.

    Args:
        series: Name -> title, in order.
        words: value, share, here in the reader's language; here "" draws no rule.
    """
    names, titles = list(series), list(series.values())
    cases = " : ".join(f"datum.label === '{name}' ? {_text(series[name])}" for name in names[:-1])
    expression = f"{cases} : {_text(titles[-1])}" if cases else _text(titles[-1])
    colour = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": names, "range": [BEFORE, AFTER][: len(names)]},
        "legend": {
            "title": None,
            "orient": "top",
            "columns": legend_columns(),
            "labelExpr": expression,
            "labelLimit": 400,
        }
        if len(names) > 1
        else None,
    }
    bars = {
        "transform": [{"filter": "isValid(datum.start)"}],
        "mark": {"type": "bar", "opacity": 0.65, "binSpacing": 0},
        "encoding": {
            "x": _binned(words["value"]),
            "x2": {"field": "stop"},
            "y": {
                "field": "share",
                "type": "quantitative",
                "title": words["share"],
                "stack": None,
                "axis": {"format": "%"},
            },
            "color": colour,
            "tooltip": [
                {"field": "start", "format": THREE_DIGITS, "title": words["value"]},
                {"field": "share", "format": ".2%", "title": words["share"]},
            ],
        },
    }
    here = {"field": "here", "type": "quantitative"}
    rule = {
        "transform": [{"filter": "isValid(datum.here)"}],
        "mark": {"type": "rule", "color": QUERY, "strokeWidth": 2.5},
        "encoding": {"x": here},
    }
    name = {
        "transform": [{"filter": "isValid(datum.here)"}],
        "mark": {"type": "text", "align": "left", "dx": 5, "color": INK, "fontWeight": 600},
        "encoding": {"x": here, "y": {"value": 8}, "text": {"field": "label"}},
    }
    return {"height": 190, "layer": [bars, rule, name], "config": LOCALE}


def _binned(title: str) -> dict[str, Any]:
    return {"field": "start", "type": "quantitative", "title": title, "bin": "binned", "axis": ENDS}


def _text(words: str) -> str:
    """A string of the expression language; words come from our own catalogue."""
    return "'" + words.replace("\\", "").replace("'", "\\'") + "'"
