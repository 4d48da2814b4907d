"""Pictures of networks that learn pairs: exact match by length, gradients, losses of two runs, costs.

Vega-Lite dicts; the rows come beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.inside import LINES
from playground.charts.theme import AFTER, COUNT, CUT, LOCALE, NEUTRAL, VALUE, legend_columns

Spec = dict[str, Any]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
DASHES = [[1, 0], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 2]]
MODES = ("right", "forced", "free")
LEAST = 1e-8  # the gradient axis ends here; what is smaller lies on it
ROOM = {"right": 16}


def exact_by_length(
    words: Mapping[str, str], names: Sequence[str], *, longest: int, trained: int | None
) -> Spec:
    """Exact match of networks against the length of the source, with 95 % intervals; rows of `exact`.

    Args:
        words: length, share, low, high, n, network, trained in the reader's language.
        names: Networks in the order of their colours.
        longest: Last length of the axis.
        trained: Longest source in training, where all have the same; None draws no line.
    """
    x = _amount("length", words["length"], scale={"domain": [0, longest], "nice": False},
                axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip
    mark = [] if trained is None else _line_at(trained, words["trained"])
    return _shares(words, names, x, mark)


def exact_by_step(words: Mapping[str, str], names: Sequence[str], *, n_steps: int) -> Spec:
    """Exact match of runs on held-out pairs against the steps, with 95 % intervals; rows of `exact`.

    Args:
        words: step, share, low, high, n, network in the reader's language.
        names: Runs in the order of their colours.
        n_steps: Last step of the axis, so that nothing moves during a run.
    """
    x = _amount("step", words["step"], scale={"domain": [0, n_steps], "nice": False},
                axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip
    return _shares(words, names, x, [], 2)


def losses(words: Mapping[str, str], names: Sequence[str], *, n_steps: int) -> Spec:
    """Losses of runs side by side: training thin, held-out thick with points; rows of `losses`.

    Args:
        words: step, loss, network, data, train, held_out in the reader's language.
        names: Runs in the order of their colours.
        n_steps: Last step of the axis.
    """
    x = _amount("step", words["step"], scale={"domain": [0, n_steps], "nice": False},
                axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip
    y = _amount("loss", words["loss"], scale={"domainMin": 0}, axis={"format": "~g"})
    said = f"datum.data === 'train' ? {_quoted(words['train'])} : {_quoted(words['held_out'])}"
    tooltip = [_name(words["network"]), _nominal("said", title=words["data"]),
               _amount("step", words["step"], format=COUNT),
               _amount("loss", words["loss"], format=".3f")]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names, 2), "detail": _nominal("data")}
    train, held_out = "datum.data === 'train'", "datum.data === 'held_out'"
    return {
        "height": 260,
        "padding": ROOM,
        "transform": [{"calculate": said, "as": "said"}],
        "layer": [
            _layer("line", drawn, train, strokeWidth=1, opacity=0.45),
            _layer("line", drawn | {"strokeDash": _dash(names)}, held_out, strokeWidth=2.4),
            _layer("point", drawn | {"shape": _shape(names, 2), "tooltip": tooltip}, held_out, filled=True,
                   size=70, opacity=1),
        ],
    }  # fmt: skip


def gradient_lines(words: Mapping[str, str], names: Sequence[str], *, n_source: int) -> Spec:
    """Gradient norm of one output with respect to each source character, log axis; rows of `gradients`.

    Args:
        words: position, norm, source, network in the reader's language.
        names: Networks in the order of their colours.
        n_source: Characters of the source.
    """
    x = _amount("position", words["position"], scale={"domain": [0.5, n_source + 0.5], "nice": False},
                axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip
    y = _amount("drawn", words["norm"], scale={"type": "log", "domain": [LEAST, 10], "clamp": True},
                axis={"format": ".0e", "values": [10.0**power for power in range(-8, 2)]})  # fmt: skip
    tooltip = [_name(words["network"]), _amount("position", words["position"]),
               _nominal("source", title=words["source"]),
               _amount("norm", words["norm"], format=".3~g")]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names)}
    return {
        "height": 320,
        "padding": ROOM,
        "transform": [{"calculate": f"max(datum.norm, {LEAST})", "as": "drawn"}],
        "layer": [
            _layer("line", drawn | {"strokeDash": _dash(names)}, strokeWidth=2.2),
            _layer("point", drawn | {"shape": _shape(names), "tooltip": tooltip}, filled=True, size=60,
                   opacity=1),
        ],
    }  # fmt: skip


def writings(words: Mapping[str, str]) -> Spec:
    """The right answer, teacher forced and free running, a cell per step; rows of `writings`.

    The greener a cell, the more probable the output; an orange frame is a wrong one.

    Args:
        words: step, right, forced, free, input, output, prob, mode in the reader's language.
    """
    names = json.dumps({name: words[name] for name in MODES}, ensure_ascii=False)
    x = {"field": "step", "type": "ordinal", "title": words["step"],
         "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False}}  # fmt: skip
    y = _nominal("mode", title=None, scale={"domain": list(MODES)},
                 axis={"labelExpr": f"({names})[datum.label]", "labelFontSize": 13, "labelLimit": 130,
                       "ticks": False, "domain": False})  # fmt: skip
    tooltip = [_nominal("said", title=words["mode"]), _amount("step", words["step"]),
               _nominal("input", title=words["input"]), _nominal("output", title=words["output"]),
               _amount("prob", words["prob"], format=".3f")]  # fmt: skip
    cell = {"x": x, "y": y, "tooltip": tooltip}
    shade = _amount("prob", words["prob"], scale={"domain": [0, 1], "range": [0.02, 0.28]}, legend=None)
    return {
        "height": {"step": 46},
        "transform": [{"calculate": f"({names})[datum.mode]", "as": "said"}],
        "layer": [
            _layer("rect", cell | {"fillOpacity": shade}, fill=VALUE, stroke=CUT, strokeWidth=0.6),
            _layer("rect", cell, "!datum.is_right", fillOpacity=0, stroke=AFTER, strokeWidth=2.5),
            _layer(
                "text", cell | {"text": {"field": "output"}}, font="monospace", fontSize=16, color=NEUTRAL
            ),
        ],
    }


def step_bytes(words: Mapping[str, str], names: Sequence[str]) -> Spec:
    """Bytes that are kept from step to step against the length, both axes logarithmic; rows of `costs`.

    Args:
        words: length, n_bytes, ms, network in the reader's language.
        names: Networks in the order of their colours.
    """
    y = _amount(
        "n_bytes",
        words["n_bytes"],
        scale={"type": "log"},
        axis={"format": "~s", "tickCount": 6, "grid": False},
    )
    return _costs(words, names, y)


def step_times(words: Mapping[str, str], names: Sequence[str]) -> Spec:
    """Time of one more step against the length; rows of `costs`.

    Args:
        words: length, n_bytes, ms, network in the reader's language.
        names: Networks in the order of their colours.
    """
    y = _amount("ms", words["ms"], scale={"domainMin": 0}, axis={"format": "~g", "tickCount": 6})
    return _costs(words, names, y)


def _costs(words: Mapping[str, str], names: Sequence[str], y: Spec) -> Spec:
    x = _amount("length", words["length"], scale={"type": "log", "base": 2},
                axis={"format": "d", "grid": False, "tickCount": 6})  # fmt: skip
    tooltip = [_name(words["network"]), _amount("length", words["length"], format=COUNT),
               _amount("n_bytes", words["n_bytes"], format=COUNT),
               _amount("ms", words["ms"], format=".3~g")]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names, 2)}
    return {
        "height": 260,
        "padding": ROOM,
        "layer": [
            _layer("line", drawn | {"strokeDash": _dash(names)}, strokeWidth=2.2),
            _layer("point", drawn | {"shape": _shape(names, 2), "tooltip": tooltip}, filled=True, size=70,
                   opacity=1),
        ],
    }  # fmt: skip


def _shares(
    words: Mapping[str, str], names: Sequence[str], x: Spec, marks: list[Spec], columns: int = 3
) -> Spec:
    """Lines of shares from 0 to 1 with their intervals."""
    y = _amount("share", words["share"], scale={"domain": [0, 1]}, axis={"format": ".0%"})
    tooltip = [
        _name(words["network"]), _amount(x["field"], x["title"], format=COUNT),
        *(_amount(field, words[field], format=".1%") for field in ("share", "low", "high")),
        _amount("n", words["n"], format=COUNT),
    ]  # fmt: skip
    drawn = {"x": x, "y": y, "color": _color(names, columns)}
    span = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": _color(names, columns)}
    return {
        "height": 320,
        "padding": ROOM,
        "layer": [
            *marks,
            _layer("rule", span, strokeWidth=2, opacity=0.5),
            _layer("line", drawn | {"strokeDash": _dash(names)}, strokeWidth=2.4),
            _layer("point", drawn | {"shape": _shape(names, columns), "tooltip": tooltip}, filled=True,
                   size=80, opacity=1),
        ],
        "config": LOCALE,
    }  # fmt: skip


def _line_at(at: int, name: str) -> list[Spec]:
    """A line from bottom to top with its name."""
    once: Spec = {"transform": [{"aggregate": [{"op": "count", "as": "count"}]}]}
    there = {"x": {"datum": at, "type": "quantitative"}}
    look = {"color": NEUTRAL, "strokeWidth": 1.5, "strokeDash": [4, 3]}
    text = {"text": name, "baseline": "bottom", "align": "right", "dx": -4, "fontSize": 13, "color": NEUTRAL}
    return [
        once | {"mark": {"type": "rule", **look}, "encoding": there},
        once | {"mark": {"type": "text", **text}, "encoding": there | {"y": {"value": -4}}},
    ]


def _color(names: Sequence[str], columns: int = 3) -> Spec:
    scale = {"domain": list(names), "range": LINES}
    return _nominal("series", scale=scale, legend=_legend(columns))


def _shape(names: Sequence[str], columns: int = 3) -> Spec:
    return _nominal("series", scale={"domain": list(names), "range": SHAPES}, legend=_legend(columns))


def _dash(names: Sequence[str]) -> Spec:
    return _nominal("series", scale={"domain": list(names), "range": DASHES}, legend=None)


def _legend(columns: int) -> Spec:
    return {
        "title": None,
        "orient": "top",
        "columns": legend_columns(columns),
        "labelLimit": 330,
        "symbolSize": 160,
        "symbolOpacity": 1,
        "symbolDash": [1, 0],
        "symbolStrokeWidth": 0,
    }


def _name(title: str) -> Spec:
    return _nominal("series", title=title)


def _nominal(field: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "nominal", **more}


def _amount(field: str, title: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "quantitative", "title": title, **more}


def _layer(mark: str, encoding: Spec, where: str = "", **look: Any) -> Spec:  # noqa: ANN401
    spec = {"mark": {"type": mark, **look}, "encoding": encoding}
    return {"transform": [{"filter": where}]} | spec if where else spec


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "").replace("'", "\\'") + "'"
