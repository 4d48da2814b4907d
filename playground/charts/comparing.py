"""Two distributions of the next token, bar beside bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from playground.charts.theme import KEY, LOCALE, PERCENT, QUERY, legend_columns


def paired_bars(words: Mapping[str, str], *, n_tokens: int) -> dict[str, Any]:
    """The probability of each token in A and in B.

    Args:
        words: token, probability, setting in the reader's language.
        n_tokens: Rows, for the height.
    """
    y = alt.Y("token:N", title=None, sort=None, axis=alt.Axis(labelLimit=160, labelFontSize=13))
    x = alt.X("probability:Q", title=words["probability"], axis=alt.Axis(format="%"))
    color = alt.Color(
        "setting:N", scale=alt.Scale(domain=["A", "B"], range=[QUERY, KEY]),
        legend=alt.Legend(title=None, orient="top", columns=legend_columns()),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("token:N", title=words["token"]),
        alt.Tooltip("setting:N", title=words["setting"]),
        alt.Tooltip("probability:Q", title=words["probability"], format=PERCENT),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(
        y=y, x=x, yOffset=alt.YOffset("setting:N"), color=color, tooltip=tooltip
    )
    spec: dict[str, Any] = rows.mark_bar().properties(height=30 * n_tokens + 40).to_dict()
    return {key: spec[key] for key in ("mark", "encoding", "height")} | {"config": LOCALE}
