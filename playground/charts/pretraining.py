"""Pictures of models trained from zero: losses under count models, words, bytes on a map, what is learned.

Vega-Lite dicts; the rows come beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.inside import LINES
from playground.charts.theme import (
    AFTER,
    BEFORE,
    BITS,
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
MOST_BITS = 9  # 8 are those of a byte about which nothing is known; what is above lies on the edge
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
DASHES = [[1, 0], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 2]]
KINDS = ("vowel", "consonant", "capital", "digit", "sign", "first", "next")  # of bytes
KIND_COLOURS = [AFTER, QUERY, "#CC79A7", VALUE, CUT, KEY, BEFORE]
KIND_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left"]
ROOM = {"right": 16}


def losses(words: Mapping[str, str], names: Sequence[str], *, n_steps: int) -> Spec:
    """Bits per byte of runs under the lines of count models; rows of `tables.pretraining.curves`.

    Training is thin, held-out thick with points.

    Args:
        words: step, bits, series, data, train, held_out, order_0 to order_3 in the reader's language.
        names: Runs in the order of their colours.
        n_steps: Last step of the axis, so that nothing moves during a run.
    """
    x = _steps(words, n_steps)
    y = _bits(words)
    said = _said({name: words[name] for name in ("train", "held_out")}, "data")
    lines = _said({str(order): words[f"order_{order}"] for order in range(4)}, "order")
    tooltip = [_nominal("series", title=words["series"]), _nominal("said", title=words["data"]),
               _amount("step", words["step"], format=COUNT),
               _amount("bits", words["bits"], format=BITS)]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names)}
    train, held_out, line = (f"datum.data === '{name}'" for name in ("train", "held_out", "line"))
    name = {"baseline": "bottom", "align": "right", "dx": -2, "dy": -2, "fontSize": 12, "color": NEUTRAL}
    return {
        "height": 330,
        "padding": ROOM,
        "transform": [{"calculate": said, "as": "said"}, {"calculate": lines, "as": "counted"}],
        "layer": [
            _layer("rule", {"y": y}, line, color=NEUTRAL, strokeWidth=1.3, strokeDash=[5, 4]),
            _layer("text", {"x": {"value": "width"}, "y": y, "text": _nominal("counted")}, line, **name),
            _layer("line", drawn | {"detail": _nominal("data")}, train, strokeWidth=1, opacity=0.45),
            _layer("line", drawn | {"strokeDash": _dash(names)}, held_out, strokeWidth=2.4),
            _layer("point", drawn | {"shape": _shape(names), "tooltip": tooltip}, held_out, filled=True,
                   size=70, opacity=1),
        ],
    }  # fmt: skip


def word_shares(words: Mapping[str, str], names: Sequence[str], *, n_steps: int) -> Spec:
    """Share of written words that are words of the text, with 95 % intervals; rows of `word_shares`.

    Args:
        words: step, share, low, high, n, series in the reader's language.
        names: Runs in the order of their colours.
        n_steps: Last step of the axis.
    """
    x = _steps(words, n_steps)
    y = _share(words["share"])
    tooltip = [_nominal("series", title=words["series"]), _amount("step", words["step"], format=COUNT),
               *(_amount(field, words[field], format=PERCENT) for field in ("share", "low", "high")),
               _amount("n", words["n"], format=COUNT)]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names)}
    span = drawn | {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    return {
        "height": 240,
        "padding": ROOM,
        "layer": [
            _layer("rule", span, strokeWidth=2, opacity=0.5),
            _layer("line", drawn | {"strokeDash": _dash(names)}, strokeWidth=2.4),
            _layer("point", drawn | {"shape": _shape(names), "tooltip": tooltip}, filled=True, size=70,
                   opacity=1),
        ],
        "config": LOCALE,
    }  # fmt: skip


def byte_map(words: Mapping[str, str], *, extent: float) -> Spec:
    """Embeddings of bytes on two fixed axes; rows of `tables.pretraining.byte_map`.

    Args:
        words: byte, kind, axis_x, axis_y, and the name of each kind as `kind_...` in the reader's language.
        extent: Both axes reach from minus to plus this, at every step.
    """
    names = {kind: words[f"kind_{kind}"] for kind in KINDS}
    legend = {"title": None, "orient": "bottom", "columns": legend_columns(4), "labelLimit": 300,
              "symbolSize": 120, "labelExpr": f"({_json(names)})[datum.value]"}  # fmt: skip
    kind = _nominal("kind", legend=legend)
    color = kind | {"scale": {"domain": list(KINDS), "range": KIND_COLOURS}}
    shape = kind | {"scale": {"domain": list(KINDS), "range": KIND_SHAPES}}
    axis = {"labels": False, "ticks": False, "grid": False}
    scale = {"domain": [-extent, extent], "nice": False}
    at = {
        "x": _amount("x", words["axis_x"], scale=scale, axis=axis),
        "y": _amount("y", words["axis_y"], scale=scale, axis=axis),
    }
    tooltip = [_nominal("label", title=words["byte"]), _nominal("said", title=words["kind"])]
    text = {"align": "left", "dx": 6, "fontSize": 12, "font": "monospace", "color": NEUTRAL}
    return {
        "height": 360,
        "transform": [{"calculate": _said(names, "kind"), "as": "said"}],
        "layer": [
            _layer("point", at | {"color": color, "shape": shape, "tooltip": tooltip}, filled=True, size=60,
                   opacity=0.9),
            _layer("text", at | {"text": _nominal("label")}, "datum.is_named", **text),
        ],
    }  # fmt: skip


def halves(words: Mapping[str, str]) -> Spec:
    """Bits per byte of the half that was read and of the one that was not, by step; rows of `halves`.

    Args:
        words: step, bits, data, read, unread, held_out in the reader's language.
    """
    parts = {"read": QUERY, "held_out": AFTER, "unread": VALUE}
    names = {part: words[part] for part in parts}
    legend = _legend() | {"labelExpr": f"({_json(names)})[datum.value]"}
    part = _nominal("data", legend=legend)
    color = part | {"scale": {"domain": list(parts), "range": list(parts.values())}}
    shape = part | {"scale": {"domain": list(parts), "range": SHAPES[: len(parts)]}}
    dash = _nominal("data", scale={"domain": list(parts), "range": DASHES[: len(parts)]}, legend=None)
    tooltip = [_nominal("said", title=words["data"]), _amount("step", words["step"], format=COUNT),
               _amount("bits", words["bits"], format=BITS)]  # fmt: skip
    x = _amount("step", words["step"], scale={"domainMin": 0, "nice": False},
                axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip
    drawn = {"x": x, "y": _bits(words), "color": color}
    return {
        "height": 300,
        "padding": ROOM,
        "transform": [{"calculate": _said(names, "data"), "as": "said"}],
        "layer": [
            _layer("line", drawn | {"strokeDash": dash}, strokeWidth=2.4),
            _layer("point", drawn | {"shape": shape, "tooltip": tooltip}, filled=True, size=70, opacity=1),
        ],
    }  # fmt: skip


def transfer(words: Mapping[str, str], names: Sequence[str], *, chance: float) -> Spec:
    """Accuracy against the number of labels, a line per body, with intervals; rows of `transfer`.

    Args:
        words: n_labels, accuracy, low, high, n, series, chance in the reader's language.
        names: Bodies in the order of their colours.
        chance: Accuracy of guessing, drawn as a line.
    """
    x = _amount("n_labels", words["n_labels"], scale={"type": "log", "base": 2, "nice": False},
                axis={"format": "d", "grid": False, "tickCount": 6})  # fmt: skip
    y = _share(words["accuracy"]) | {"field": "accuracy"}
    tooltip = [_nominal("series", title=words["series"]), _amount("n_labels", words["n_labels"], format="d"),
               *(_amount(field, words[field], format=PERCENT) for field in ("accuracy", "low", "high")),
               _amount("n", words["n"], format=COUNT)]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names)}
    span = drawn | {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    once: Spec = {"transform": [{"aggregate": [{"op": "count", "as": "count"}]}]}
    there = {"y": {"datum": chance, "type": "quantitative"}}
    name = {"text": words["chance"], "align": "right", "dx": -2, "dy": 10, "fontSize": 12, "color": NEUTRAL}
    return {
        "height": 300,
        "padding": ROOM,
        "layer": [
            once | {"mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [5, 4]}, "encoding": there},
            once | {"mark": {"type": "text", **name}, "encoding": there | {"x": {"value": "width"}}},
            _layer("rule", span, strokeWidth=2, opacity=0.5),
            _layer("line", drawn | {"strokeDash": _dash(names)}, strokeWidth=2.4),
            _layer("point", drawn | {"shape": _shape(names), "tooltip": tooltip}, filled=True, size=80,
                   opacity=1),
        ],
        "config": LOCALE,
    }  # fmt: skip


def _steps(words: Mapping[str, str], n_steps: int) -> Spec:
    return _amount("step", words["step"], scale={"domain": [0, n_steps], "nice": False},
                   axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip


def _bits(words: Mapping[str, str]) -> Spec:
    return _amount("bits", words["bits"], scale={"domain": [0, MOST_BITS], "nice": False, "clamp": True},
                   axis={"format": "d", "values": list(range(MOST_BITS))})  # fmt: skip


def _share(title: str) -> Spec:
    return _amount("share", title, scale={"domain": [0, 1]}, axis={"format": ".0%"})


def _color(names: Sequence[str]) -> Spec:
    return _nominal("series", scale={"domain": list(names), "range": LINES}, legend=_legend())


def _shape(names: Sequence[str]) -> Spec:
    return _nominal("series", scale={"domain": list(names), "range": SHAPES}, legend=_legend())


def _dash(names: Sequence[str]) -> Spec:
    return _nominal("series", scale={"domain": list(names), "range": DASHES}, legend=None)


def _legend() -> Spec:
    return {
        "title": None,
        "orient": "top",
        "columns": legend_columns(3),
        "labelLimit": 330,
        "symbolSize": 160,
        "symbolOpacity": 1,
        "symbolDash": [1, 0],
        "symbolStrokeWidth": 0,
    }


def _nominal(field: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "nominal", **more}


def _amount(field: str, title: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "quantitative", "title": title, **more}


def _layer(mark: str, encoding: Spec, where: str = "", **look: Any) -> Spec:  # noqa: ANN401
    spec = {"mark": {"type": mark, **look}, "encoding": encoding}
    return {"transform": [{"filter": where}]} | spec if where else spec


def _said(names: Mapping[str, str], field: str) -> str:
    """An expression that gives the words of a row's value."""
    return f"({_json(names)})[datum.{field}]"


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)
