"""Pictures of prompts that let a model think: the accuracy of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from playground.charts.theme import COUNT, LOCALE, NEUTRAL, PERCENT, QUERY


def prompt_accuracies(words: Mapping[str, str], *, prompts: Sequence[str]) -> dict[str, Any]:
    """The accuracy of each prompt as a point with its interval; nothing moves while results come in.

    Args:
        words: accuracy, low, high, n_right, n, and the name of each prompt, in the reader's language.
        prompts: Their ids, from left to right.
    """
    named = f"({json.dumps({prompt: words[prompt] for prompt in prompts}, ensure_ascii=False)})[datum.value]"
    x = alt.X(
        "prompt:N", title=None, scale=alt.Scale(domain=list(prompts)),
        axis=alt.Axis(
            labelExpr=named, labelAngle=0, labelFlush=False, labelFontSize=13, labelLimit=260, ticks=False
        ),
    )  # fmt: skip
    y = alt.Y(
        "accuracy:Q", title=words["accuracy"], scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format="%", tickCount=5),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("accuracy:Q", title=words["accuracy"], format=PERCENT),
        alt.Tooltip("low:Q", title=words["low"], format=PERCENT),
        alt.Tooltip("high:Q", title=words["high"], format=PERCENT),
        alt.Tooltip("n_right:Q", title=words["n_right"], format=COUNT),
        alt.Tooltip("n:Q", title=words["n"], format=COUNT),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, tooltip=tooltip)
    spans = rows.mark_rule(color=QUERY, strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q")
    ends = [
        rows.mark_tick(color=QUERY, thickness=2, size=18).encode(y=alt.Y(f"{side}:Q"))
        for side in ("low", "high")
    ]
    points = rows.mark_point(filled=True, size=140, opacity=1, color=QUERY).encode(y=y)
    counts = (
        rows.transform_calculate(told="datum.n_right + '/' + datum.n")
        .mark_text(dx=14, align="left", fontSize=14, color=NEUTRAL)
        .encode(y=y, text="told:N")
    )
    spec: dict[str, Any] = alt.layer(points, spans, *ends, counts).properties(height=260).to_dict()
    return {"layer": spec["layer"], "height": spec["height"], "config": LOCALE}
