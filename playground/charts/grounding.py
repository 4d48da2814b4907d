"""Pictures of answers with chunks: shares with intervals, and what an answer loses without each chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from playground.charts.theme import AFTER, LOCALE, NEUTRAL, PERCENT, QUERY

LOST_BITS = (-20, 200)  # of the axis, which is logarithmic beyond one bit


def shares(words: Mapping[str, str], *, n_rows: int) -> dict[str, Any]:
    """The share of questions of each figure, with its 95 % interval; the data come beside it.

    Args:
        words: figure, share, n, low, high in the reader's language.
        n_rows: Rows, which make the height.
    """
    rows = alt.Chart(alt.NamedData("rows"))
    y = alt.Y("figure:N", title=None, sort=None, axis=alt.Axis(labelLimit=230, labelFontSize=13))
    domain = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("share:Q", title=words["share"], scale=domain, axis=alt.Axis(format="%", tickCount=5))
    tooltip = [
        alt.Tooltip("figure:N", title=words["figure"]),
        alt.Tooltip("share:Q", title=words["share"], format=PERCENT),
        alt.Tooltip("n_true:Q", title=words["n_true"]),
        alt.Tooltip("n:Q", title=words["n"]),
        alt.Tooltip("low:Q", title=words["low"], format=PERCENT),
        alt.Tooltip("high:Q", title=words["high"], format=PERCENT),
    ]
    bars = rows.mark_bar(color=QUERY, height=14, opacity=0.85).encode(y=y, x=x, tooltip=tooltip)
    interval = rows.mark_rule(color=AFTER, strokeWidth=2.5).encode(
        y=y, x="low:Q", x2="high:Q", tooltip=tooltip
    )
    ends = [
        rows.mark_tick(color=AFTER, thickness=2.5, size=12).encode(y=y, x=f"{side}:Q")
        for side in ("low", "high")
    ]
    return _spec(alt.layer(bars, interval, *ends), 32 * n_rows + 10) | {"config": LOCALE}


def left_out(words: Mapping[str, str]) -> dict[str, Any]:
    """Bits that the answer loses without each chunk; the data come beside it.

    Args:
        words: left_out, lost, with, without in the reader's language.
    """
    rows = alt.Chart(alt.NamedData("rows"))
    y = alt.Y("left_out:N", title=None, sort=None, axis=alt.Axis(labelLimit=230, labelFontSize=13))
    x = alt.X(
        "lost_bits:Q", title=words["lost"],
        scale=alt.Scale(type="symlog", constant=1, domain=list(LOST_BITS), nice=False, clamp=True),
        axis=alt.Axis(values=[-10, -1, 0, 1, 10, 100]),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("left_out:N", title=words["left_out"]),
        alt.Tooltip("lost_bits:Q", title=words["lost"], format="+.1f"),
        alt.Tooltip("bits_with:Q", title=words["with"], format=".1f"),
        alt.Tooltip("bits_without:Q", title=words["without"], format=".1f"),
    ]
    color = alt.condition("datum.lost_bits >= 0", alt.value(QUERY), alt.value(AFTER))
    bars = rows.mark_bar(height=16).encode(y=y, x=x, color=color, tooltip=tooltip)
    text = alt.Text("lost_bits:Q", format="+.1f")
    more = rows.transform_filter("datum.lost_bits >= 0").mark_text(align="left", dx=5, color=NEUTRAL)
    less = rows.transform_filter("datum.lost_bits < 0").mark_text(align="right", dx=-5, color=NEUTRAL)
    said = [one.encode(y=y, x=x, text=text) for one in (more, less)]
    return _spec(alt.layer(bars, *said), 190)


def _spec(chart: alt.LayerChart | alt.FacetChart, height: int) -> dict[str, Any]:
    """The layers alone: their data come beside them."""
    layers = chart.to_dict()["layer"]
    return {
        "layer": [{k: v for k, v in layer.items() if k != "data"} for layer in layers],
        "height": height,
    }
