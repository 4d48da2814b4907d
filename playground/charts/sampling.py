"""Pictures of sampling: entropy against temperature, and the surprisal of generated tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import altair as alt

from playground.charts.theme import AFTER, BITS, COUNT, CUT, LOCALE, NEUTRAL, PERCENT, QUERY, legend_columns

MOST_BITS = 20  # of the surprisal axis
BARS, NAMES = 200, 80  # pixels: the height of its bars, and above them what the name of the highest needs
NAME_PITCH = 14  # pixels that a name needs beside the next one
PICTURE_WIDTHS = (800, 280)  # of the bars on a projector and on a phone, at least


def entropy_curve(words: Mapping[str, str]) -> dict[str, Any]:
    """Entropy of a draw from all tokens (dashed) and from kept ones (solid), the current temperature marked.

    Built with Altair once per language; the rows of `tables.sampling.temperature_curve` come beside it.

    Args:
        words: temperature, entropy, n_kept, all, kept, now in the reader's language.
    """
    rows = alt.Chart(alt.NamedData("rows"))
    kept, everything = (json.dumps(words[name], ensure_ascii=False) for name in ("kept", "all"))
    names = f"datum.label === 'kept' ? {kept} : {everything}"
    legend = alt.Legend(
        title=None,
        orient="top",
        columns=legend_columns(),
        labelExpr=names,
        labelLimit=300,
        symbolType="stroke",
        symbolSize=600,
    )
    kinds = ["all", "kept"]
    x = _temperature_axis(words)
    y = alt.Y("entropy_bits:Q", title=words["entropy"], scale=alt.Scale(domain=[0, 16], nice=False))
    curves = rows.transform_filter("!datum.now").encode(x=x, y=y)
    color = alt.Color("tokens:N", scale=alt.Scale(domain=kinds, range=[CUT, QUERY]), legend=legend)
    dash = alt.StrokeDash("tokens:N", scale=alt.Scale(domain=kinds, range=[[5, 4], [1, 0]]), legend=legend)
    tooltip = [
        alt.Tooltip("temperature:Q", title=words["temperature"], format=".2f"),
        alt.Tooltip("entropy_bits:Q", title=words["entropy"], format=BITS),
        alt.Tooltip("n_kept:Q", title=words["n_kept"], format=COUNT),
    ]
    lines = curves.mark_line(strokeWidth=2.5).encode(color=color, strokeDash=dash)
    points = curves.mark_circle(size=45, opacity=1).encode(
        color=alt.condition("datum.tokens === 'kept'", alt.value(QUERY), alt.value(CUT)), tooltip=tooltip
    )
    here = rows.transform_filter("datum.now && datum.tokens === 'kept'").encode(x=x)
    rule = here.mark_rule(color=AFTER, strokeWidth=2).encode(tooltip=tooltip)
    point = here.mark_point(color=AFTER, size=90, filled=True, opacity=1).encode(y=y, tooltip=tooltip)
    name = here.mark_text(color=AFTER, align="left", dx=6, baseline="top", text=words["now"]).encode(
        y=alt.value(4)
    )
    spec: dict[str, Any] = alt.layer(lines, points, rule, point, name).properties(height=240).to_dict()
    return {"layer": spec["layer"], "height": spec["height"]}


def kept_curve(words: Mapping[str, str], *, d_vocab: int) -> dict[str, Any]:
    """Number of kept tokens at each temperature, the current one marked; rows as for `entropy_curve`.

    Args:
        words: temperature, n_kept, now in the reader's language.
        d_vocab: Most that can be kept.
    """
    rows = alt.Chart(alt.NamedData("rows")).transform_filter("datum.tokens === 'kept'")
    axis = alt.Axis(values=[10**power for power in range(8) if 10**power <= d_vocab], format=COUNT)
    scale = alt.Scale(type="log", domain=[1, d_vocab], nice=False)
    x, y = _temperature_axis(words), alt.Y("n_kept:Q", title=words["n_kept"], scale=scale, axis=axis)
    tooltip = [
        alt.Tooltip("temperature:Q", title=words["temperature"], format=".2f"),
        alt.Tooltip("n_kept:Q", title=words["n_kept"], format=COUNT),
    ]
    curve = rows.transform_filter("!datum.now").encode(x=x, y=y)
    line = curve.mark_line(color=QUERY, strokeWidth=2.5)
    points = curve.mark_circle(color=QUERY, size=45, opacity=1).encode(tooltip=tooltip)
    here = rows.transform_filter("datum.now").encode(x=x, tooltip=tooltip)
    rule = here.mark_rule(color=AFTER, strokeWidth=2)
    point = here.mark_point(color=AFTER, size=90, filled=True, opacity=1).encode(y=y)
    spec: dict[str, Any] = alt.layer(line, points, rule, point).properties(height=240).to_dict()
    return {"layer": spec["layer"], "height": spec["height"]}


def _temperature_axis(words: Mapping[str, str]) -> alt.X:
    return alt.X("temperature:Q", title=words["temperature"], scale=alt.Scale(domain=[0, 3], nice=False))


def surprisal_bars(words: Mapping[str, str], *, steps: range) -> dict[str, Any]:
    """Vega-Lite of the surprisal of each token; the data come beside it, step by step.

    The specification stays the same while tokens arrive, so the chart is updated in place. Where bars are too
    narrow for all names, the most surprising token of each stretch is named: no name stands on another.

    Args:
        words: token, surprisal, model, rank in the reader's language; of generated tokens drawn, kept too.
        steps: The time axis, fixed so that nothing moves while tokens arrive.
    """
    fields = {
        "token": ("token", "nominal", None), "surprisal_bits": ("surprisal", "quantitative", BITS),
        "model": ("model", "quantitative", PERCENT), "drawn": ("drawn", "quantitative", PERCENT),
        "rank": ("rank", "quantitative", COUNT), "n_kept": ("kept", "quantitative", COUNT),
    }  # fmt: skip
    tooltip = [
        {"field": field, "type": kind, "title": words[word]} | ({"format": form} if form else {})
        for field, (word, kind, form) in fields.items()
        if word in words
    ]
    x = {
        "field": "step",
        "type": "ordinal",
        "title": None,
        "scale": {"domain": list(steps)},
        "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False},
    }
    y = {
        "field": "bar",
        "type": "quantitative",
        "title": words["surprisal"],
        "scale": {"domain": [0, MOST_BITS * (1 + NAMES / BARS)], "nice": False},
        "axis": {"values": list(range(0, MOST_BITS + 1, 5))},
    }
    name = {"type": "text", "angle": 270, "align": "left", "dx": 4, "limit": NAMES - 6, "color": NEUTRAL}
    return {
        "height": BARS + NAMES,
        "config": LOCALE,
        "transform": [{"calculate": f"min(datum.surprisal_bits, {MOST_BITS})", "as": "bar"}],
        "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": {"type": "bar", "color": QUERY}, "encoding": {"tooltip": tooltip}},
            {"transform": _named(len(steps)), "mark": name, "encoding": {"text": {"field": "token"}}},
        ],
    }


def _named(n_steps: int) -> list[dict[str, Any]]:
    """Transforms that keep the tokens with room for a name: more in a wide picture than in a narrow one."""
    fits = [math.ceil(n_steps * NAME_PITCH / width) for width in PICTURE_WIDTHS]  # one name in this many bars
    order = {"calculate": "datum.surprisal_bits - datum.step / 1e6", "as": "rank_of_bar"}  # no two alike
    most = [
        {
            "window": [{"op": "max", "field": "rank_of_bar", "as": f"most_{place}"}],
            "frame": [1 - n_bars, n_bars - 1],
            "sort": [{"field": "step"}],
        }
        for place, n_bars in enumerate(fits)
    ]
    wide, narrow = (f"datum.rank_of_bar === datum.most_{place}" for place in range(2))
    return [order, *most, {"filter": f"width < {PICTURE_WIDTHS[0]} ? {narrow} : {wide}"}]


def quality_against_diversity(words: Mapping[str, str]) -> dict[str, Any]:
    """Mean log-probability against distinct-2, a point and its temperature for each row beside it.

    Args:
        words: diversity, quality, temperature, distinct, repeated, texts in the reader's language.
    """
    x = alt.X("distinct_2:Q", title=words["diversity"], scale=alt.Scale(domain=[0, 1], nice=False))
    y = alt.Y("mean_logprob:Q", title=words["quality"], scale=alt.Scale(zero=False, padding=18))
    tooltip = [
        alt.Tooltip("temperature:Q", title=words["temperature"], format=".1f"),
        alt.Tooltip("mean_logprob:Q", title=words["quality"], format=BITS),
        alt.Tooltip("distinct_2:Q", title=words["diversity"], format=".3f"),
        alt.Tooltip("distinct_1:Q", title=words["distinct"], format=".3f"),
        alt.Tooltip("repeated_4:Q", title=words["repeated"], format=".1%"),
        alt.Tooltip("n_texts:Q", title=words["texts"], format=COUNT),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y, order=alt.Order("temperature:Q"))
    line = rows.mark_line(color=CUT, strokeDash=[4, 3])
    points = rows.mark_circle(size=110, color=QUERY, opacity=1).encode(tooltip=tooltip)
    names = rows.mark_text(dx=9, dy=-9, align="left", color=NEUTRAL, fontSize=12).encode(
        text=alt.Text("temperature:Q", format=".1f")
    )
    spec: dict[str, Any] = alt.layer(line, points, names).properties(height=300).to_dict()
    return {"layer": spec["layer"], "height": spec["height"], "config": LOCALE}


def path_tree(words: Mapping[str, str], *, steps: int) -> dict[str, Any]:
    """The tree of paths, each a line from where it left its parent; its first own token stands at its start.

    Args:
        words: step, path, token, text, surprisal in the reader's language.
        steps: Length of the time axis.
    """
    x_scale = alt.Scale(domain=[0, steps + 1], nice=False)
    y_scale = alt.Scale(reverse=True, zero=False, padding=14)
    y_axis = alt.Axis(format="d", tickMinStep=1, grid=False)
    x = alt.X("start:Q", title=words["step"], scale=x_scale, axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("path:Q", title=words["path"], scale=y_scale, axis=y_axis)
    tooltip = [
        alt.Tooltip("path:Q", title=words["path"]),
        alt.Tooltip("token:N", title=words["token"]),
        alt.Tooltip("text:N", title=words["text"]),
        alt.Tooltip("bits:Q", title=words["surprisal"], format=BITS),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y)
    joint = rows.mark_rule(color=CUT, strokeDash=[4, 3]).encode(y2="parent:Q")
    line = rows.mark_rule(color=QUERY, strokeWidth=3).encode(x2="stop:Q", tooltip=tooltip)
    node = rows.mark_circle(color=QUERY, size=90, opacity=1).encode(tooltip=tooltip)
    name = rows.mark_text(align="left", dx=2, dy=-9, color=NEUTRAL, fontSize=12).encode(text="token:N")
    spec: dict[str, Any] = alt.layer(joint, line, node, name).properties(height=240).to_dict()
    return {"layer": spec["layer"], "height": spec["height"]}
