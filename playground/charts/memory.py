"""Pictures about memory: a step's line, cache against length, reach of number formats, many devices.

Vega-Lite dicts; the rows come beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    COUNT,
    KEY,
    NEUTRAL,
    QUERY,
    VALUE,
    legend_columns,
)

Spec = dict[str, Any]
PART_COLOURS = {
    "weights": QUERY, "gradients": AFTER, "optimizer": KEY, "activations": VALUE, "cache": BEFORE,
}  # fmt: skip
DASHES = [[1, 0], [7, 3], [2, 3]]
LINES = [QUERY, KEY, VALUE]
ROOM = {"right": 16}
LEAST, MOST = 1e-46, 1e39  # the axis of magnitudes: all of float32


def step_line(words: Mapping[str, str], n_most: float) -> Spec:
    """Memory through a real step as an area, shaded by phase; rows of `line`.

    Args:
        words: ms, n_bytes, phase, forward, backward, update in the reader's language.
        n_most: Upper end of the axis, in bytes.
    """
    names = {name: words[name] for name in ("forward", "backward", "update")}
    said = f"({json.dumps(names, ensure_ascii=False)})[datum.phase]"
    x = _amount("ms", words["ms"], axis={"format": "~s", "grid": False, "tickCount": 6})
    y = _amount("n_bytes", words["n_bytes"], scale={"domain": [0, n_most], "nice": False},
                axis={"format": "~s", "tickCount": 5})  # fmt: skip
    color = {
        "field": "said", "type": "nominal",
        "scale": {"domain": list(names.values()), "range": [QUERY, AFTER, KEY]},
        "legend": {"title": None, "orient": "top", "columns": legend_columns(3, 2), "labelLimit": 240},
    }  # fmt: skip
    tooltip = [_nominal("said", title=words["phase"]), _amount("ms", words["ms"], format=".0f"),
               _amount("n_bytes", words["n_bytes"], format=".3~s")]  # fmt: skip
    return {
        "height": 220,
        "padding": ROOM,
        "transform": [{"calculate": said, "as": "said"}],
        "layer": [
            {"mark": {"type": "area", "interpolate": "step-after", "opacity": 0.35},
             "encoding": {"x": x, "y": y, "color": color}},
            {"mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6},
             "encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip}},
        ],
    }  # fmt: skip


def cache_lines(words: Mapping[str, str], names: Sequence[str], *, longest: int) -> Spec:
    """Bytes of the cache against the length, axes logarithmic, measured ones as points; rows of `caches`.

    Args:
        words: length, n_bytes, series, measured in the reader's language.
        names: Series in the order of their colours.
        longest: Last length of the axis.
    """
    x = _amount("length", words["length"], scale={"type": "log", "base": 2, "domain": [16, longest]},
                axis={"format": COUNT, "grid": False, "tickCount": 6})  # fmt: skip
    y = _amount("n_bytes", words["n_bytes"], scale={"type": "log"},
                axis={"format": "~s", "tickCount": 5})  # fmt: skip
    legend = {"title": None, "orient": "top", "columns": legend_columns(3, 1), "labelLimit": 330,
              "symbolDash": [1, 0]}  # fmt: skip
    color = {
        "field": "series", "type": "nominal", "scale": {"domain": list(names), "range": LINES},
        "legend": legend,
    }  # fmt: skip
    dash = {"field": "series", "type": "nominal", "scale": {"domain": list(names), "range": DASHES},
            "legend": None}  # fmt: skip
    tooltip = [_nominal("series", title=words["series"]), _amount("length", words["length"], format=COUNT),
               _amount("n_bytes", words["n_bytes"], format=COUNT)]  # fmt: skip
    drawn = {"x": x, "y": y, "tooltip": tooltip}
    return {
        "height": 320,
        "padding": ROOM,
        "layer": [
            {"transform": [{"filter": "!datum.is_measured"}],
             "mark": {"type": "line", "strokeWidth": 2.4},
             "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash}},
            {"transform": [{"filter": "!datum.is_measured"}],
             "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
             "encoding": drawn | {"color": color}},
            {"transform": [{"filter": "datum.is_measured"}],
             "mark": {"type": "point", "filled": False, "size": 220, "strokeWidth": 2.5, "color": AFTER},
             "encoding": drawn},
        ],
    }  # fmt: skip


def format_ranges(words: Mapping[str, str], names: Sequence[str]) -> Spec:
    """Magnitudes that each format can say, from its smallest to its largest; rows of `ranges`.

    Args:
        words: magnitude, format, smallest, smallest_normal, largest, here in the reader's language.
        names: Formats from top to bottom.
    """
    x = {
        "field": "smallest", "type": "quantitative", "title": words["magnitude"],
        "scale": {"type": "log", "domain": [LEAST, MOST], "nice": False},
        "axis": {"format": ".0e", "values": [10.0**power for power in (-40, -30, -20, -10, 0, 10, 20, 30)],
                 "labelOverlap": True},
    }  # fmt: skip
    y = _nominal("format", title=None, sort=list(names),
                 axis={"labelFontSize": 13, "ticks": False, "domain": False})  # fmt: skip
    tooltip = [_nominal("format", title=words["format"])] + [
        _amount(name, words[name], format=".3~e") for name in ("smallest", "smallest_normal", "largest")
    ]
    return {
        "height": {"step": 34},
        "padding": ROOM,
        "layer": [
            {"mark": {"type": "bar", "height": 7, "color": BEFORE},
             "encoding": {"x": x, "x2": {"field": "largest"}, "y": y, "tooltip": tooltip}},
            {"mark": {"type": "bar", "height": 17, "color": QUERY},
             "encoding": {"x": x | {"field": "smallest_normal"}, "x2": {"field": "largest"}, "y": y,
                          "tooltip": tooltip}},
            {"transform": [{"filter": "isValid(datum.here)"}],
             "mark": {"type": "tick", "color": AFTER, "thickness": 3, "height": 30},
             "encoding": {"x": x | {"field": "here"}, "y": y,
                          "tooltip": [_amount("here", words["here"], format=".4~e")]}},
        ],
    }  # fmt: skip


def device_bars(words: Mapping[str, str], schemes: Mapping[str, str]) -> Spec:
    """Bytes on each device, a bar per scheme; rows of `devices`.

    Args:
        words: n_bytes, part, scheme, total, weights, gradients, optimizer in the reader's language.
        schemes: Scheme -> its name, from top to bottom.
    """
    names = {name: words[name] for name in ("weights", "gradients", "optimizer")}
    called = json.dumps(dict(schemes), ensure_ascii=False)
    x = _amount("n_bytes", words["n_bytes"], stack="zero", axis={"format": "~s", "tickCount": 5})
    color = {
        "field": "said", "type": "nominal",
        "scale": {"domain": list(names.values()), "range": [PART_COLOURS[name] for name in names]},
        "legend": {"title": None, "orient": "top", "columns": legend_columns(3, 2), "labelLimit": 240},
    }  # fmt: skip
    tooltip = [_nominal("called", title=words["scheme"]), _nominal("said", title=words["part"]),
               _amount("n_bytes", words["n_bytes"], format=".3~s"),
               _amount("total", words["total"], format=".3~s")]  # fmt: skip
    y = _scheme_axis(schemes)
    return {
        "height": {"step": 38},
        "padding": {"right": 60},
        "transform": [
            {"calculate": f"({json.dumps(names, ensure_ascii=False)})[datum.part]", "as": "said"},
            {"calculate": f"({called})[datum.scheme]", "as": "called"},
        ],
        "layer": [
            {"mark": {"type": "bar", "height": 24},
             "encoding": {"x": x, "y": y, "color": color, "order": {"field": "order"}, "tooltip": tooltip}},
            {"transform": [{"filter": "datum.part === 'weights'"}, _in_bytes("total")],
             "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 13, "color": NEUTRAL},
             "encoding": {"x": _amount("total", words["n_bytes"], axis=None), "y": y,
                          "text": {"field": "bytes"}}},
        ],
    }  # fmt: skip


def device_traffic(words: Mapping[str, str], schemes: Mapping[str, str]) -> Spec:
    """Bytes that a device sends a step, a bar per scheme; rows of `devices`.

    Args:
        words: sent, scheme in the reader's language.
        schemes: Scheme -> its name, from top to bottom.
    """
    called = json.dumps(dict(schemes), ensure_ascii=False)
    x = _amount("sent", words["sent"], axis={"format": "~s", "tickCount": 5})
    y = _scheme_axis(schemes)
    tooltip = [_nominal("called", title=words["scheme"]), _amount("sent", words["sent"], format=".3~s")]
    return {
        "height": {"step": 38},
        "padding": {"right": 60},
        "transform": [
            {"filter": "datum.part === 'weights'"},
            {"calculate": f"({called})[datum.scheme]", "as": "called"},
            _in_bytes("sent"),
        ],
        "layer": [
            {"mark": {"type": "bar", "height": 24, "color": VALUE},
             "encoding": {"x": x, "y": y, "tooltip": tooltip}},
            {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 13, "color": NEUTRAL},
             "encoding": {"x": x, "y": y, "text": {"field": "bytes"}}},
        ],
    }  # fmt: skip


def _in_bytes(field: str) -> Spec:
    """`bytes`: a number of bytes with its unit, 31.4 GB."""
    return {"calculate": f"replace(format(datum.{field}, '.3~s'), /([a-zA-Z]?)$/, ' $1B')", "as": "bytes"}


def _scheme_axis(schemes: Mapping[str, str]) -> Spec:
    called = json.dumps(dict(schemes), ensure_ascii=False)
    return _nominal(
        "scheme", title=None, sort=list(schemes),
        axis={"labelExpr": f"({called})[datum.value]", "labelFontSize": 13, "labelLimit": 150, "ticks": False,
              "domain": False},
    )  # fmt: skip


def _nominal(field: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "nominal", **more}


def _amount(field: str, title: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "quantitative", "title": title, **more}
