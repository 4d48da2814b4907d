"""Pictures of a run of DPO: its loss under ln 2, both answers against the reference, pair by pair.

Vega-Lite dicts; the rows come beside them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import AFTER, COUNT, LOCALE, NEUTRAL, PERCENT, QUERY, VALUE, legend_columns

Spec = dict[str, Any]
LN2 = math.log(2)
MOST_LOSS = 1.4  # what is above lies on the edge
ROOM = {"right": 16}
ANSWERS = {"chosen": QUERY, "rejected": AFTER}
HEIGHT = 300


def losses(words: Mapping[str, str], *, n_steps: int) -> Spec:
    """Loss of every batch and of held-out pairs, with the line of ln 2; rows of `losses`.

    Args:
        words: step, loss, data, train, held_out, ln2 in the reader's language.
        n_steps: Last step of the axis, so that nothing moves during a run.
    """
    kinds = {"train": QUERY, "held_out": AFTER}
    y = _amount("loss", words["loss"], scale={"domain": [0, MOST_LOSS], "nice": False, "clamp": True},
                axis={"format": ".1f", "tickCount": 6})  # fmt: skip
    color = _kind("data", kinds, words)
    shape = _kind("data", {"train": "circle", "held_out": "square"}, words)
    tooltip = [_nominal("said", title=words["data"]), _amount("step", words["step"], format=COUNT),
               _amount("loss", words["loss"], format=".4f")]  # fmt: skip
    drawn = {"x": _steps(words, n_steps), "y": y, "color": color}
    return {
        "height": HEIGHT,
        "padding": ROOM,
        "transform": [{"calculate": _said({one: words[one] for one in kinds}, "data"), "as": "said"}],
        "layer": [
            *_level(LN2, words["ln2"]),
            _layer("line", drawn, "datum.data === 'train'", strokeWidth=1.2, opacity=0.6),
            _layer("line", drawn, "datum.data === 'held_out'", strokeWidth=2.4, strokeDash=[7, 3]),
            _layer("point", drawn | {"shape": shape, "tooltip": tooltip}, "datum.data === 'held_out'",
                   filled=True, size=70, opacity=1),
        ],
    }  # fmt: skip


def log_ratios(words: Mapping[str, str], *, n_steps: int, extent: float) -> Spec:
    """Log-probability of both answers relative to the reference, by step; rows of `log_ratios`.

    Args:
        words: step, log_ratio, answer, chosen, rejected, reference in the reader's language.
        n_steps: Last step of the axis.
        extent: The axis reaches from minus to plus this.
    """
    y = _amount("log_ratio", words["log_ratio"], scale={"domain": [-extent, extent], "nice": False},
                axis={"tickCount": 7})  # fmt: skip
    tooltip = [_nominal("said", title=words["answer"]), _amount("step", words["step"], format=COUNT),
               _amount("log_ratio", words["log_ratio"], format="+.2f")]  # fmt: skip
    drawn = {"x": _steps(words, n_steps), "y": y, "color": _kind("answer", ANSWERS, words)}
    shape = _kind("answer", {"chosen": "circle", "rejected": "square"}, words)
    dash = _kind("answer", {"chosen": [1, 0], "rejected": [7, 3]}, words) | {"legend": None}
    return {
        "height": HEIGHT,
        "padding": ROOM,
        "transform": [{"calculate": _said({one: words[one] for one in ANSWERS}, "answer"), "as": "said"}],
        "layer": [
            *_level(0, words["reference"]),
            _layer("line", drawn | {"strokeDash": dash}, strokeWidth=2.4),
            _layer("point", drawn | {"shape": shape, "tooltip": tooltip}, filled=True, size=70, opacity=1),
        ],
    }  # fmt: skip


def pair_rewards(words: Mapping[str, str], *, extent: float, n_pairs: int) -> Spec:
    """Implicit reward of both answers, a row a pair, the largest margin on top; rows of `pairs`.

    Args:
        words: pair, prompt, text, reward, margin, answer, chosen, rejected in the reader's language.
        extent: The axis reaches from minus to plus this.
        n_pairs: Rows.
    """
    x = _amount("reward", words["reward"], scale={"domain": [-extent, extent], "nice": False, "clamp": True},
                axis={"tickCount": 7})  # fmt: skip
    y = {"field": "pair", "type": "ordinal", "title": words["pair"], "axis": {"labelLimit": 60}}
    tooltip = [_nominal("prompt", title=words["prompt"]), _nominal("said", title=words["answer"]),
               _nominal("text", title=words["text"]), _amount("reward", words["reward"], format="+.3f"),
               _amount("margin", words["margin"], format="+.3f")]  # fmt: skip
    at = {"x": x, "y": y}
    looks = {
        "color": _kind("answer", ANSWERS, words),
        "shape": _kind("answer", {"chosen": "circle", "rejected": "square"}, words),
    }
    once: Spec = {"transform": [{"aggregate": [{"op": "count", "as": "count"}]}]}
    span = at | {"x": x | {"aggregate": "min"}, "x2": {"aggregate": "max", "field": "reward"}}
    return {
        "height": max(120, 22 * n_pairs),
        "padding": ROOM,
        "transform": [{"calculate": _said({one: words[one] for one in ANSWERS}, "answer"), "as": "said"}],
        "layer": [
            once | {"mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [5, 4]},
                    "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
            {"mark": {"type": "rule", "strokeWidth": 2, "color": NEUTRAL}, "encoding": span},
            _layer("point", at | looks | {"tooltip": tooltip}, filled=True, size=110, opacity=1),
        ],
    }  # fmt: skip


def divergence(words: Mapping[str, str], *, n_steps: int, most: float) -> Spec:
    """KL divergence from the reference by step; rows of `judged`.

    Args:
        words: step, kl in the reader's language.
        n_steps: Last step of the axis.
        most: End of the axis, nats per token.
    """
    y = _amount("kl", words["kl"], scale={"domain": [0, most], "nice": False}, axis={"tickCount": 5})
    tooltip = [_amount("step", words["step"], format=COUNT), _amount("kl", words["kl"], format=".4f")]
    drawn = {"x": _steps(words, n_steps), "y": y}
    return {
        "height": HEIGHT,
        "padding": ROOM,
        "layer": [
            _layer("line", drawn, strokeWidth=2.4, color=VALUE),
            _layer("point", drawn | {"tooltip": tooltip}, filled=True, size=70, opacity=1, color=VALUE),
        ],
    }


def accuracy(words: Mapping[str, str], *, n_steps: int) -> Spec:
    """Share of held-out pairs in the right order with its interval, by step; rows of `judged`.

    Args:
        words: step, accuracy, low, high, n, chance in the reader's language.
        n_steps: Last step of the axis.
    """
    y = _amount("accuracy", words["accuracy"], scale={"domain": [0, 1]}, axis={"format": ".0%"})
    tooltip = [_amount("step", words["step"], format=COUNT),
               *(_amount(field, words[field], format=PERCENT) for field in ("accuracy", "low", "high")),
               _amount("n", words["n"], format=COUNT)]  # fmt: skip
    drawn = {"x": _steps(words, n_steps), "y": y}
    span = drawn | {"y": y | {"field": "low"}, "y2": {"field": "high"}}
    return {
        "height": HEIGHT,
        "padding": ROOM,
        "layer": [
            *_level(0.5, words["chance"]),
            _layer("rule", span, strokeWidth=2, opacity=0.5, color=AFTER),
            _layer("line", drawn, strokeWidth=2.4, color=AFTER),
            _layer("point", drawn | {"tooltip": tooltip}, filled=True, size=70, opacity=1, color=AFTER),
        ],
        "config": LOCALE,
    }  # fmt: skip


def _level(value: float, label: str) -> list[Spec]:
    """A dashed line across the picture, and its name above its right end."""
    once: Spec = {"transform": [{"aggregate": [{"op": "count", "as": "count"}]}]}
    there = {"y": {"datum": value, "type": "quantitative"}}
    name = {"text": label, "align": "right", "dx": -2, "dy": -8, "fontSize": 12, "color": NEUTRAL}
    return [
        once | {"mark": {"type": "rule", "color": NEUTRAL, "strokeDash": [5, 4]}, "encoding": there},
        once | {"mark": {"type": "text", **name}, "encoding": there | {"x": {"value": "width"}}},
    ]


def _steps(words: Mapping[str, str], n_steps: int) -> Spec:
    return _amount("step", words["step"], scale={"domain": [0, n_steps], "nice": False},
                   axis={"format": "d", "tickMinStep": 1, "grid": False})  # fmt: skip


def _kind(field: str, looks: Mapping[str, Any], words: Mapping[str, str]) -> Spec:
    """A channel that tells kinds apart, with a legend in the reader's words."""
    names = {kind: words[kind] for kind in looks}
    legend = {"title": None, "orient": "top", "columns": legend_columns(2, 2), "labelLimit": 220,
              "symbolSize": 110, "symbolOpacity": 1, "symbolDash": [1, 0],
              "symbolStrokeWidth": 0,
              "labelExpr": f"({_json(names)})[datum.value]"}  # fmt: skip
    return _nominal(field, scale={"domain": list(looks), "range": list(looks.values())}, legend=legend)


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
