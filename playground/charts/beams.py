"""Pictures of a beam search: the tree of its candidates, and the probability of each token of a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import altair as alt

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

_FATES = ("kept", "ended", "cut", "dropped")


def beam_tree(words: Mapping[str, str], *, n_steps: int, n_places: int) -> dict[str, Any]:
    """The tree of candidates, each joined to the beam it goes on from; the path of the best text is thick.

    Args:
        words: step, place, token, probability, logprob, kept, ended, cut, dropped in the reader's language.
        n_steps, n_places: Length of the axes, fixed so that nothing moves while the search goes on.
    """
    x_scale = alt.Scale(domain=[0, n_steps + 0.6], nice=False)
    x_axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    y_scale = alt.Scale(domain=[n_places + 0.5, 0.4], nice=False)
    y_axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    x = alt.X("step:Q", title=words["step"], scale=x_scale, axis=x_axis)
    y = alt.Y("place:Q", title=words["place"], scale=y_scale, axis=y_axis)
    color = alt.Color(
        "fate:N",
        scale=alt.Scale(domain=list(_FATES), range=[QUERY, VALUE, KEY, CUT]),
        legend=alt.Legend(title=None, orient="top", columns=legend_columns(), labelExpr=_named(words)),
    )
    shape = alt.Shape(
        "fate:N",
        scale=alt.Scale(domain=list(_FATES), range=["circle", "square", "diamond", "cross"]),
        legend=None,
    )
    tooltip = [
        alt.Tooltip("token:N", title=words["token"]),
        alt.Tooltip("probability:Q", title=words["probability"], format=PERCENT),
        alt.Tooltip("logprob:Q", title=words["logprob"], format=BITS),
        alt.Tooltip("place:Q", title=words["place"], format=COUNT),
    ]
    rows = alt.Chart(alt.NamedData("rows")).transform_filter(f"datum.place <= {n_places}").encode(x=x, y=y)
    alive = rows.transform_filter("datum.fate !== 'dropped'")
    paths = alive.transform_filter("!datum.on_best").mark_rule(color=BEFORE, opacity=0.7)
    best = alive.transform_filter("datum.on_best").mark_rule(color=AFTER, strokeWidth=3)
    joints = [rules.encode(x2="parent_step:Q", y2="parent_place:Q") for rules in (paths, best)]
    points = rows.mark_point(filled=True, size=70, opacity=1).encode(
        color=color, shape=shape, tooltip=tooltip
    )
    width = 860 // (n_steps + 1) - 4
    names = rows.mark_text(dy=-10, color=NEUTRAL, fontSize=11, limit=width).encode(text="token:N")
    layers = alt.layer(*joints, points, names).properties(height=max(220, 80 + 36 * n_places))
    spec: dict[str, Any] = layers.to_dict()
    return {"layer": spec["layer"], "height": spec["height"], "config": LOCALE}


def token_probabilities(words: Mapping[str, str]) -> dict[str, Any]:
    """The probability of each token, one line per text.

    Args:
        words: step, probability, token, beam, greedy, sampled in the reader's language.

    Source:
        Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", arXiv:1904.09751, figure 2.
    """
    kinds = ("beam", "greedy", "sampled")
    axis = alt.Axis(tickMinStep=1, format="d", grid=False)
    x = alt.X("step:Q", title=words["step"], axis=axis, scale=alt.Scale(nice=False, zero=False, padding=12))
    y = alt.Y("probability:Q", title=words["probability"], scale=alt.Scale(domain=[0, 1]))
    named = _named(words, kinds)
    legend = alt.Legend(
        title=None,
        orient="top",
        columns=legend_columns(),
        labelExpr=named,
        symbolType="stroke",
        symbolSize=600,
    )
    scale = alt.Scale(domain=list(kinds), range=[AFTER, QUERY, VALUE])
    color = alt.Color("kind:N", scale=scale, legend=legend)
    dash = alt.StrokeDash(
        "kind:N", scale=alt.Scale(domain=list(kinds), range=[[1, 0], [6, 3], [2, 2]]), legend=legend
    )
    tooltip = [
        alt.Tooltip("step:Q", title=words["step"]),
        alt.Tooltip("token:N", title=words["token"]),
        alt.Tooltip("probability:Q", title=words["probability"], format=PERCENT),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y)
    lines = rows.mark_line(strokeWidth=2).encode(color=color, strokeDash=dash)
    same = alt.Color("kind:N", scale=scale, legend=None)
    points = rows.mark_circle(size=45, opacity=1).encode(color=same, tooltip=tooltip)
    spec: dict[str, Any] = alt.layer(lines, points).properties(height=220).to_dict()
    return {"layer": spec["layer"], "height": spec["height"], "config": LOCALE}


def _named(words: Mapping[str, str], kinds: tuple[str, ...] = _FATES) -> str:
    """A Vega expression: the reader's word for each value of a legend."""
    return f"({json.dumps({kind: words[kind] for kind in kinds}, ensure_ascii=False)})[datum.label]"
