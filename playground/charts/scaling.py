"""Pictures of scaling: measured losses with their laws, iso-FLOP curves, sizes and tokens of known models.

Vega-Lite dicts; the rows come beside them. All amounts stand on logarithmic axes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import AFTER, BEFORE, COUNT, CUT, KEY, NEUTRAL, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
POINT_KINDS = ("all", "part", "own", "model")
LAW_KINDS = ("law", "law_before")
KINDS = {  # colour and sign of each
    "all": (QUERY, "circle"), "part": (CUT, "triangle-up"), "own": (VALUE, "diamond"),
    "model": (KEY, "square"), "law": (BEFORE, "stroke"), "law_before": (CUT, "stroke"),
}  # fmt: skip
LABELS: Mapping[str, Spec] = {
    "right": {"align": "left", "dx": 9, "dy": -7}, "left": {"align": "right", "dx": -9, "dy": -7},
    "below": {"align": "left", "dx": 9, "dy": 11},
}  # fmt: skip
SIDES = ("fewer", "near", "more", "at_hand")
LOSS_MARKS = (0.5, 0.7, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
MANY = 1e15  # from here on amounts are written as powers
ROOM = {"right": 18}


def losses(
    words: Mapping[str, str],
    *,
    xs: tuple[float, float],
    ys: tuple[float, float],
    sizes: bool,
    kinds: Sequence[str],
) -> Spec:
    """Held-out loss of runs with laws and bands; rows of `tables.scaling.points`, `model` and `laws`.

    Args:
        words: x (title of the axis), loss, name, n_parameters, n_bytes, n_tokens, flops, seconds, said (loss
            that the law says), low, high, each kind of point and law, in the reader's language.
        xs, ys: Ends of the axes.
        sizes: True joins the measurements of a run by a thin line.
        kinds: Kinds of points and laws that the rows have, for the legend.
    """
    x = _amount("x", words["x"], xs)
    y = _loss(words["loss"], ys)
    seen = [kind for kind in KINDS if kind in kinds]
    names = {kind: words[kind] for kind in seen}
    is_point, is_law = _one_of(POINT_KINDS), _one_of(LAW_KINDS)
    color = _kind(seen, [KINDS[kind][0] for kind in seen], names)
    shape = _kind(seen, [KINDS[kind][1] for kind in seen], names)
    band = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": color}
    dash = {"condition": {"test": "datum.kind === 'law_before'", "value": [5, 4]}, "value": [1, 0]}
    drawn: list[Spec] = [
        _layer("area", band, is_law, opacity=0.18, clip=True),
        _layer("line", {"x": x, "y": y, "color": color, "strokeDash": dash}, is_law, strokeWidth=2.2,
               clip=True),
    ]  # fmt: skip
    if sizes:
        way = {"x": x, "y": y, "detail": {"field": "name", "type": "nominal"}}
        drawn.append(_layer("line", way, is_point, strokeWidth=1, color=CUT, opacity=0.6, clip=True))
    opacity = {"condition": {"test": "datum.fitted || datum.kind === 'model'", "value": 1}, "value": 0.55}
    point = {"x": x, "y": y, "color": color, "shape": shape, "opacity": opacity, "tooltip": _told(words)}
    drawn.append(_layer("point", point, is_point, filled=True, size=110))
    named = {"x": x, "y": y, "text": {"field": "name", "type": "nominal"}}
    drawn.append(_layer("text", named, "datum.kind === 'model'", align="right", dx=-10, dy=-10, fontSize=13,
                        color=NEUTRAL))  # fmt: skip
    return {"height": 380, "padding": ROOM, "layer": drawn}


def _told(words: Mapping[str, str]) -> list[Spec]:
    formats = {"loss": ".3f", "law": ".3f", "n_parameters": COUNT, "n_bytes": COUNT, "n_tokens": COUNT,
               "flops": ".3~e", "seconds": ",.0f"}  # fmt: skip
    titles = {field: words["said" if field == "law" else field] for field in formats}
    return [
        {"field": "name", "type": "nominal", "title": words["name"]},
        *({"field": field, "type": "quantitative", "title": titles[field], "format": form}
          for field, form in formats.items()),
    ]  # fmt: skip


def iso_flops(words: Mapping[str, str], *, budgets: Sequence[float], xs: tuple[float, float]) -> Spec:
    """Predicted loss against size, a curve a budget, and the lowest points; rows of `iso_flops`.

    Args:
        words: n_parameters, n_tokens, ratio, loss, budget, best in the reader's language.
        budgets: Operations of the curves; the middle one is the reader's.
        xs: Ends of the axis of sizes.
    """
    x = _amount("n_parameters", words["n_parameters"], xs)
    y = {"field": "loss", "type": "quantitative", "title": words["loss"],
         "scale": {"zero": False, "nice": True}, "axis": {"format": "~g", "tickCount": 6}}  # fmt: skip
    color = {
        "field": "budget", "type": "ordinal",
        "scale": {"domain": list(budgets), "range": [BEFORE, QUERY, VALUE, KEY, AFTER][: len(budgets)]},
        "legend": {"title": words["budget"], "orient": "top", "columns": legend_columns(5, 2),
                   "labelExpr": "format(datum.value, '.1~e')", "symbolType": "stroke",
                   "symbolStrokeWidth": 3},
    }  # fmt: skip
    tooltip = [
        {"field": field, "type": "quantitative", "title": words[field], "format": form}
        for field, form in {"budget": ".2~e", "n_parameters": ".3~e", "n_tokens": ".3~e", "ratio": ",.3~r",
                            "loss": ".3f"}.items()
    ]  # fmt: skip
    seen = {"x": x, "y": y, "color": color, "tooltip": tooltip}
    best = "datum.kind === 'best'"
    return {
        "height": 340,
        "padding": ROOM,
        "layer": [
            _layer("line", seen, "datum.kind === 'curve'", strokeWidth=2.2, clip=True),
            _layer("line", {"x": x, "y": y}, best, strokeDash=[5, 4], color=NEUTRAL, clip=True),
            _layer("point", seen, best, filled=True, size=130, opacity=1, shape="diamond", clip=True),
        ],
    }


def known(
    words: Mapping[str, str], *, xs: tuple[float, float], ys: tuple[float, float], ratio: float
) -> Spec:
    """Training tokens against parameters of known models, and a line; rows of `tables.scaling.known`.

    Args:
        words: n_parameters, n_tokens, ratio, flops, year, source, name, line, each side, in the reader's
            language.
        xs, ys: Ends of the axes.
        ratio: Tokens per parameter along the line.
    """
    x, y = _amount("n_parameters", words["n_parameters"], xs), _amount("n_tokens", words["n_tokens"], ys)
    sides = {side: words[side] for side in SIDES}
    color = _kind(SIDES, (BEFORE, QUERY, AFTER, KEY), sides, "side")
    shape = _kind(SIDES, ("triangle-down", "circle", "triangle-up", "square"), sides, "side")
    tooltip = [
        {"field": "name", "type": "nominal", "title": words["name"]},
        {"field": "year", "type": "quantitative", "title": words["year"], "format": "d"},
        *({"field": field, "type": "quantitative", "title": words[field], "format": form}
          for field, form in {"n_parameters": ".3~e", "n_tokens": ".3~e", "ratio": ",.3~r",
                              "flops": ".3~e"}.items()),
        {"field": "source", "type": "nominal", "title": words["source"]},
    ]  # fmt: skip
    line = [{"calculate": f"datum.n_parameters * {ratio}", "as": "on_line"}]
    ends = {"x": x, "y": y | {"field": "on_line"}}
    once = [{"aggregate": [{"op": "count", "as": "count"}]}]
    label = {"x": {"datum": 1.6 * ys[0] / ratio, "type": "quantitative"},
             "y": {"datum": 1.6 * ys[0], "type": "quantitative"},
             "text": {"value": words["line"]}}  # fmt: skip
    return {
        "height": 400,
        "padding": ROOM,
        "layer": [
            _layer("line", ends, strokeDash=[6, 4], color=NEUTRAL, clip=True) | {"transform": line},
            {"transform": once, "mark": {"type": "text", "align": "left", "dx": 12, "dy": 8, "fontSize": 13,
                                         "color": NEUTRAL}, "encoding": label},
            _layer("point", {"x": x, "y": y, "color": color, "shape": shape, "tooltip": tooltip}, filled=True,
                   size=130, opacity=1),
            *(_layer("text", {"x": x, "y": y, "text": {"field": "name", "type": "nominal"}},
                     f"datum.label === '{place}'", fontSize=12, color=NEUTRAL, **look)
              for place, look in LABELS.items()),
        ],
    }  # fmt: skip


def _amount(field: str, title: str, ends: tuple[float, float]) -> Spec:
    """A logarithmic axis whose labels are short: 10k, 1M, 7B, 2T, 1e+21."""
    short = "replace(format(datum.value, '~s'), 'G', 'B')"
    return {
        "field": field, "type": "quantitative", "title": title,
        "scale": {"type": "log", "domain": list(ends), "nice": False},
        "axis": {"labelExpr": f"datum.value < {MANY:.0f} ? {short} : format(datum.value, '.0e')",
                 "grid": False, "values": _marks(*ends), "labelOverlap": True},
    }  # fmt: skip


def _marks(low: float, high: float) -> list[float]:
    """Powers of ten on an axis; where they are few, also three times each."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    times = (1, 3) if last - first < 4 else (1,)
    marks = [one * 10.0**power for power in range(first - 1, last + 1) for one in times]
    return [mark for mark in marks if 0.999 * low <= mark <= 1.001 * high]


def _loss(title: str, ends: tuple[float, float]) -> Spec:
    marks = [mark for mark in LOSS_MARKS if ends[0] <= mark <= ends[1]]
    return {
        "field": "loss", "type": "quantitative", "title": title,
        "scale": {"type": "log", "domain": list(ends), "nice": False},
        "axis": {"values": marks, "format": "~g"},
    }  # fmt: skip


def _kind(kinds: Sequence[str], values: Sequence[str], names: Mapping[str, str], field: str = "kind") -> Spec:
    return {
        "field": field, "type": "nominal", "scale": {"domain": list(kinds), "range": list(values)},
        "legend": {"title": None, "orient": "top", "columns": legend_columns(4), "labelLimit": 330,
                   "symbolSize": 130, "symbolStrokeWidth": 2, "symbolOpacity": 1,
                   "labelExpr": f"({json.dumps(names, ensure_ascii=False)})[datum.value]"},
    }  # fmt: skip


def _one_of(kinds: Sequence[str]) -> str:
    return f"indexof({json.dumps(list(kinds))}, datum.kind) >= 0"


def _layer(mark: str, encoding: Spec, where: str = "", **look: Any) -> Spec:  # noqa: ANN401
    spec = {"mark": {"type": mark, **look}, "encoding": encoding}
    return {"transform": [{"filter": where}]} | spec if where else spec
