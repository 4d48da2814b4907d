"""Pictures of fine-tuning: losses, a weight and its two factors, the change of each layer, its strength.

Vega-Lite dicts, quick to make, because a run draws its losses again and again; the rows come beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.inside import LINES
from playground.charts.theme import (
    AFTER,
    AMOUNTS,
    BEFORE,
    COUNT,
    CUT,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
)

Spec = dict[str, Any]
SERIES = ("train", "smoothed", "held_out", "general")
KINDS = ("memorised", "generalised")
TIMES = ("before", "after")
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
LOG_TICKS = [digit * 10.0**power for power in range(-6, 4) for digit in (1, 1.5, 2, 3, 5, 7)]
SIDE = 330  # of the square a weight and its factors are drawn in, pixels
ROOM = {"right": 16}  # pixels for half of the last number at the axis
APART = 17 / 220  # of the axis: the name of one line stands 17 pixels above the next
LIGHT, DARK = "#FFFFFF", "#1A1C20"  # a dark line in a light one shows on a bar and on every paper


def loss_curves(words: Mapping[str, str], *, log: bool, best: int | None, n_steps: int | None = None) -> Spec:
    """Train loss with its smoothed curve, held-out loss and loss on general text; rows of `losses`.

    Args:
        words: step, loss, train, smoothed, held_out, general, best (stands at the mark) in the reader's
            language.
        log: True for a logarithmic loss axis.
        best: Step that is marked, None for none.
        n_steps: Last step of the axis, so that nothing moves during a run; None for the last one there is.
    """
    legend = {"title": None, "orient": "top", "columns": legend_columns(2), "labelLimit": 260,
              "symbolType": "stroke", "labelExpr": _named(words, SERIES), "symbolSize": 600}  # fmt: skip
    color, dash = [f"{QUERY}B3", QUERY, AFTER, VALUE], [[1, 0], [1, 0], [7, 4], [2, 3]]
    line = {
        channel: _named_field("series", scale={"domain": list(SERIES), "range": looks}, legend=legend)
        for channel, looks in {"color": color, "strokeDash": dash}.items()
    }
    train, held_out = "datum.series === 'train'", "datum.series === 'held_out'"
    point = {
        channel: {"condition": {"test": held_out, "value": of_held_out}, "value": of_general}
        for channel, of_held_out, of_general in (("color", AFTER, VALUE), ("shape", "square", "triangle-up"))
    }
    last = {} if n_steps is None else {"domainMax": n_steps}
    x_axis = {"tickMinStep": 1, "tickCount": 10, "format": "d", "grid": False, "labelFlush": False}
    y_axis = {"format": "~g", "labelOverlap": "greedy"} | ({"values": LOG_TICKS} if log else {})
    y_scale = {"type": "log", "nice": False} if log else {"zero": False}
    base: Spec = {
        "x": _amount("step", words["step"], scale={"zero": True, "nice": False} | last, axis=x_axis),
        "y": _amount("loss", words["loss"], scale=y_scale, axis=y_axis),
        "tooltip": [_named_field("said", title=""), _amount("step", words["step"], format=COUNT),
                    _amount("loss", words["loss"], format=".4f")],
    }  # fmt: skip
    room = {"y": base["y"] | {"field": "below"}, "y2": {"field": "above"}}  # also around a single loss
    series_name = _named(words, SERIES, "datum.series")
    return {
        "height": 340,
        "padding": ROOM,
        "transform": _calculated(said=series_name, below="datum.loss / 1.3", above="datum.loss * 1.3"),
        "layer": [
            *([_layer("rule", room, opacity=0)] if log else []),
            *([] if best is None else _mark(best, words["best"])),
            _layer("line", base | line, train, strokeWidth=1),
            _layer("point", base, train, filled=True, size=14, color=QUERY, opacity=0.9),
            _layer("line", base | line, f"!({train})", strokeWidth=2.6),
            _layer("point", base | point, f"!({train}) && datum.series !== 'smoothed'", filled=True, size=60,
                   opacity=1),
        ],
    }  # fmt: skip


def weight_areas(words: Mapping[str, str]) -> Spec:
    """A frozen weight (grey, dashed) and its two factors to scale, with their numbers; rows of `areas`.

    The picture is a square of its own size, whatever the page's width: a unit is as wide as it is high.

    Args:
        words: matrix, shape, n in the reader's language.
    """
    fields = _calculated(
        middle_x="(datum.x + datum.x2) / 2", middle_y="(datum.y + datum.y2) / 2",
        said="datum.matrix + ': ' + datum.label + ' = ' + format(datum.n, ',d')",
        lines="[datum.matrix, datum.label, '= ' + format(datum.n, ',d')]",
        extent="max(datum.right, datum.top)",
    )  # fmt: skip
    tooltip = [_named_field("matrix", title=words["matrix"]), _named_field("label", title=words["shape"]),
               _amount("n", words["n"], format=COUNT)]  # fmt: skip
    box = _corner("x", "y") | {"x2": {"field": "x2"}, "y2": {"field": "y2"}, "tooltip": tooltip}
    name = {"color": NEUTRAL, "fontSize": 14, "lineHeight": 19}
    line, lines = {"text": {"field": "said"}}, {"text": {"field": "lines"}}
    layers = [
        _layer("point", _corner("extent", "extent"), opacity=0),
        _layer("rect", box, "datum.matrix === 'W'", fill=CUT, fillOpacity=0.12, stroke=CUT,
               strokeWidth=1.5, strokeDash=[5, 4]),
        _layer("rect", box, "datum.matrix !== 'W'", fill=QUERY, stroke=QUERY, strokeWidth=1.5),
        _layer("text", _corner("middle_x", "middle_y") | lines, "datum.matrix === 'W'", dy=-19, **name),
        _layer("text", _corner("x", "y2") | line, "datum.matrix === 'A'", dy=-11, align="left", **name),
        _layer("text", _corner("x2", "middle_y") | lines, "datum.matrix === 'B'", dx=9, dy=-19,
               align="left", **name),
    ]  # fmt: skip
    ends = [{"op": "max", "field": "x2", "as": "right"}, {"op": "max", "field": "y2", "as": "top"}]
    return {
        "transform": [{"joinaggregate": ends}, *fields],
        "autosize": "pad",
        "hconcat": [{"width": SIDE, "height": SIDE, "layer": layers}],
    }


def delta_heat_map(words: Mapping[str, str], modules: Sequence[str]) -> Spec:
    """Change of each linear layer relative to its weight; rows of `delta_map`.

    Args:
        words: layer, module, change in the reader's language.
        modules: Modules from left to right.
    """
    axis = {"labelAngle": 0, "labelFlush": False, "ticks": False, "domain": False, "labelLimit": 150}
    x = _named_field("module", title=words["module"], axis=axis, scale={"domain": list(modules)})
    y = {"field": "layer", "type": "ordinal", "title": words["layer"], "axis": axis | {"labelOverlap": True}}
    change = _amount("relative_norm", words["change"])
    color = {"scale": {"range": AMOUNTS, "domainMin": 0},
             "legend": {"orient": "bottom", "gradientLength": 200, "format": ".2~p"}}  # fmt: skip
    tooltip = [_named_field("layer", title=words["layer"]), _named_field("module", title=words["module"]),
               change | {"format": PERCENT}]  # fmt: skip
    return {
        "height": {"step": 14},
        "mark": {"type": "rect", "stroke": CUT, "strokeWidth": 0.4},
        "encoding": {"x": x, "y": y, "color": change | color, "tooltip": tooltip},
        "config": LOCALE,
    }


def singular_value_bars(words: Mapping[str, str]) -> Spec:
    """The singular values of one change, the largest first; rows of `spectrum`.

    Args:
        words: place, value, share in the reader's language.
    """
    axis = {"axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False}}
    place = {"field": "place", "type": "ordinal", "title": words["place"]}
    value = _amount("value", words["value"])
    tooltip = [place, value | {"format": ".4~g"},
               _amount("share", words["share"], format=PERCENT)]  # fmt: skip
    return {
        "height": 220,
        "mark": {"type": "bar", "color": QUERY},
        "encoding": {"x": place | axis, "y": value | {"axis": {"tickCount": 5}}, "tooltip": tooltip},
        "config": LOCALE,
    }


def length_histogram(words: Mapping[str, str]) -> Spec:
    """Histogram of the lengths of examples; rows of `lengths`.

    Args:
        words: n_tokens, examples in the reader's language.
    """
    end = "datum.stop - datum.n_tokens === 1 ? '' : '–' + (datum.stop - 1)"
    whole = {"tickMinStep": 1, "format": "d"}
    x_axis = whole | {"grid": False, "labelFlush": False}
    tooltip = [_named_field("said", title=words["n_tokens"]), _amount("n", words["examples"], format=COUNT)]
    return {
        "height": 180,
        "padding": ROOM,
        "transform": _calculated(said=f"datum.n_tokens + ({end})"),
        "mark": {"type": "bar", "color": QUERY},
        "encoding": {
            "x": _amount("n_tokens", words["n_tokens"], bin="binned", axis=x_axis),
            "x2": {"field": "stop"},
            "y": _amount("n", words["examples"], axis=whole),
            "tooltip": tooltip,
        },
    }


def strength_lines(words: Mapping[str, str], at: float) -> Spec:
    """The probability of some next tokens at adapter strengths from 0 to 1.5; rows of `strengths`.

    Args:
        words: strength, probability, token, now (stands at the mark) in the reader's language.
        at: The strength that is marked.
    """
    x = _amount("strength", words["strength"], scale={"domain": [0, 1.85], "nice": False},
                axis={"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]})  # fmt: skip
    y = _amount("prob", words["probability"], scale={"domain": [0, 1]}, axis={"format": ".0%"})
    color = {"color": _named_field("token", sort=None, scale={"range": LINES}, legend=None)}
    shape = {"shape": _named_field("token", sort=None, scale={"range": SHAPES}, legend=None)}
    tooltip = [_named_field("token", title=words["token"]),
               _amount("strength", words["strength"], format=".0%"),
               _amount("prob", words["probability"], format=PERCENT)]  # fmt: skip
    by_prob = [{"field": "prob"}, {"field": "token"}]
    clear = [  # a name stands beside the end of its line, but not on the name below it
        {"joinaggregate": [{"op": "max", "field": "strength", "as": "end"}]},
        {"filter": "datum.strength === datum.end"},
        {"window": [{"op": "row_number", "as": "number"}], "sort": by_prob},
        {"calculate": f"datum.prob - {APART} * datum.number", "as": "lowered"},
        {"window": [{"op": "max", "field": "lowered", "as": "least"}], "sort": by_prob, "frame": [None, 0]},
        {"calculate": f"datum.least + {APART} * datum.number", "as": "name_at"},
    ]
    named = {"x": {"datum": 1.55}, "y": y | {"field": "name_at"}}
    code: Spec = {"font": "monospace", "fontSize": 13, "limit": 150}
    names = _layer("text", named | {"text": {"field": "token"}}, align="left", dx=9, color=NEUTRAL, **code)
    drawn = {"x": x, "y": y, **color}
    return {
        "height": 300,
        "layer": [
            *_mark(at, words["now"]),
            _layer("line", drawn, strokeWidth=2.4),
            _layer("point", drawn | shape | {"tooltip": tooltip}, filled=True, size=50, opacity=1),
            _layer("point", named | color | shape, filled=True, size=60, opacity=1) | {"transform": clear},
            names | {"transform": clear},
        ],
        "config": LOCALE,
    }


def score_bars(words: Mapping[str, str], chance: float) -> Spec:
    """Right answers before and after training, with 95 % intervals; rows of `question_scores`.

    Args:
        words: memorised, generalised, before, after, accuracy, low, high, n, chance in the reader's language.
        chance: Accuracy of guessing.
    """
    count_right = (
        f"{_named(words, TIMES, 'datum.when')} + '  ' + round(datum.accuracy * datum.n) + '/' + datum.n"
    )
    axis = {"labelExpr": _named(words, KINDS), "labelAngle": 0, "labelFontSize": 14,
            "labelLimit": 280, "labelFlush": False, "ticks": False}  # fmt: skip
    x = _named_field("kind", title=None, axis=axis,
                     scale={"domain": list(KINDS), "paddingInner": 0.25, "paddingOuter": 0.4})  # fmt: skip
    y = _amount("accuracy", words["accuracy"], scale={"domain": [0, 1]}, axis={"format": ".0%"})
    shares = [_amount(field, words[field], format=".1%") for field in ("accuracy", "low", "high")]
    tooltip = [_named_field("told", title=""), *shares, _amount("n", words["n"], format=COUNT)]
    offset = _named_field("when", scale={"domain": list(TIMES), "paddingInner": 0.1})
    color = _named_field("when", scale={"domain": list(TIMES), "range": [BEFORE, AFTER]}, legend=None)
    drawn = {"x": x, "xOffset": offset, "y": y, "tooltip": tooltip}
    span = drawn | {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    count = drawn | {"y": y | {"field": "high"}, "text": {"field": "told"}}
    guess = {"y": {"datum": chance}}
    return {
        "height": 300,
        "transform": _calculated(told=count_right),
        "layer": [
            _layer("bar", drawn | {"color": color}),
            _once("rule", guess, color=NEUTRAL, strokeWidth=1.5, strokeDash=[4, 3]),
            _layer("rule", span, color=LIGHT, strokeWidth=5),
            _layer("rule", span, color=DARK, strokeWidth=2),
            _layer("text", count, dy=-9, fontSize=13, color=NEUTRAL),
            _once("text", guess | {"x": {"value": 4}}, text=words["chance"], align="left", dy=-8,
                  fontSize=12, color=NEUTRAL),
        ],
        "config": LOCALE,
    }  # fmt: skip


def _mark(at: float, name: str) -> list[Spec]:
    """A line from bottom to top with its name."""
    far = f"scale('x', {at}) > width * 0.6"
    side = {"align": {"expr": f"{far} ? 'right' : 'left'"}, "dx": {"expr": f"{far} ? -6 : 6"}}
    there, top = {"x": {"datum": at}}, {"y": {"value": -3}}  # above what is drawn
    return [
        _once("rule", there, color=NEUTRAL, strokeWidth=1.5, strokeDash=[4, 3]),
        _once("text", there | top, text=name, baseline="bottom", fontSize=13, color=NEUTRAL, **side),
    ]


def _layer(mark: str, encoding: Spec, where: str = "", **look: Any) -> Spec:  # noqa: ANN401
    """One mark for each row, or for those where the expression holds."""
    spec = {"mark": {"type": mark, **look}, "encoding": encoding}
    return {"transform": [{"filter": where}]} | spec if where else spec


def _once(mark: str, encoding: Spec, **look: Any) -> Spec:  # noqa: ANN401
    """One mark, whatever the rows."""
    transform = {"aggregate": [{"op": "count", "as": "count"}]}
    return {"transform": [transform]} | _layer(mark, encoding, **look)


def _amount(field: str, title: str | None, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "quantitative", "title": title, **more}


def _calculated(**expressions: str) -> list[Spec]:
    """Transforms that calculate further fields: name -> Vega expression."""
    return [{"calculate": expression, "as": name} for name, expression in expressions.items()]


def _corner(x: str, y: str) -> Spec:
    """A place in a picture without axes."""
    bare = {"axis": None, "scale": {"zero": True, "nice": False}}
    return {"x": _amount(x, None, **bare), "y": _amount(y, None, **bare)}


def _named_field(field: str, **more: Any) -> Spec:  # noqa: ANN401
    return {"field": field, "type": "nominal", **more}


def _named(words: Mapping[str, str], names: Sequence[str], value: str = "datum.label") -> str:
    """Vega's expression that says a name in the reader's words."""
    return f"({json.dumps({name: words[name] for name in names}, ensure_ascii=False)})[{value}]"
