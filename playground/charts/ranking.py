"""Pictures of measured searches: a figure by kind of question, and by size of the chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from playground.charts.theme import AFTER, KEY, QUERY, legend_columns

COLOURS = (QUERY, KEY, AFTER)  # by vectors, by text, both


def by_group(words: Mapping[str, str], *, ways: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    """A figure for each group of questions and way of searching, with its interval; the data come beside it.

    Args:
        words: group, way, value, n, low, high in the reader's language.
        ways: Ways of searching, in words.
        groups: Groups, from top to bottom.
    """
    rows = alt.Chart(alt.NamedData("rows"))
    y = alt.Y(
        "group:N", title=None, scale=alt.Scale(domain=list(groups)),
        axis=alt.Axis(labelLimit=190, labelFontSize=13),
    )  # fmt: skip
    offset = alt.YOffset("way:N", scale=alt.Scale(domain=list(ways)))
    x = alt.X("value:Q", title=words["value"], scale=alt.Scale(domain=[0, 1], nice=False))
    shape = alt.Shape("way:N", scale=alt.Scale(domain=list(ways), range=["circle", "square", "diamond"]))
    encoded = {"y": y, "yOffset": offset, "color": _colour(ways), "tooltip": _tooltip(words)}
    interval = rows.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", **encoded)
    points = rows.mark_point(filled=True, size=90, opacity=1).encode(x=x, shape=shape, **encoded)
    return _spec(alt.layer(interval, points), 62 * len(groups) + 10)


def by_size(words: Mapping[str, str], *, ways: Sequence[str], sizes: Sequence[str]) -> dict[str, Any]:
    """A figure against the size of the chunks, a line a way, with intervals; the data come beside it.

    Args:
        words: group, way, value, n, low, high in the reader's language.
        ways: Ways of searching, in words.
        sizes: Sizes, from small to large.
    """
    rows = alt.Chart(alt.NamedData("rows"))
    x = alt.X(
        "group:N", title=words["group"], scale=alt.Scale(domain=list(sizes)), axis=alt.Axis(labelAngle=0)
    )
    offset = alt.XOffset("way:N", scale=alt.Scale(domain=list(ways), paddingInner=0.4, paddingOuter=1))
    y = alt.Y("value:Q", title=words["value"], scale=alt.Scale(domain=[0, 1], nice=False))
    shape = alt.Shape("way:N", scale=alt.Scale(domain=list(ways), range=["circle", "square", "diamond"]))
    encoded = {"x": x, "xOffset": offset, "color": _colour(ways), "tooltip": _tooltip(words)}
    interval = rows.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q", **encoded)
    points = rows.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape, **encoded)
    return _spec(alt.layer(interval, points), 280)


def _colour(ways: Sequence[str]) -> alt.Color:
    return alt.Color(
        "way:N", scale=alt.Scale(domain=list(ways), range=list(COLOURS)),
        legend=alt.Legend(title=None, orient="top", labelLimit=260, columns=legend_columns()),
    )  # fmt: skip


def _tooltip(words: Mapping[str, str]) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("group:N", title=words["group"]),
        alt.Tooltip("way:N", title=words["way"]),
        alt.Tooltip("value:Q", title=words["value"], format=".3f"),
        alt.Tooltip("low:Q", title=words["low"], format=".3f"),
        alt.Tooltip("high:Q", title=words["high"], format=".3f"),
        alt.Tooltip("n:Q", title=words["n"]),
    ]


def _spec(chart: alt.LayerChart | alt.FacetChart, height: int) -> dict[str, Any]:
    """The layers alone: their data come beside them."""
    layers = chart.to_dict()["layer"]
    return {
        "layer": [{k: v for k, v in layer.items() if k != "data"} for layer in layers],
        "height": height,
    }
