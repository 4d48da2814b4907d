"""A candidate and its references as tokens: shared n-grams underlined, a common subsequence as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction

_COMPONENT = st.components.v2.component(
    "playground.matched_tokens",
    html='<div class="matched-tokens"></div>\n',
    css=style("matched_tokens/matched_tokens"),
    js=script("matched_tokens/matched_tokens"),
)


class MatchedToken(NamedTuple):
    """A token of a text.

    Attributes:
        label: The token.
        orders: Lengths of the matched n-grams that it stands in.
        is_clipped: True if the candidate has it more often than a reference, and this time does not count.
    """

    label: str
    orders: tuple[int, ...] = ()
    is_clipped: bool = False


class MatchedRow(NamedTuple):
    """A text as tokens, and its title."""

    title: str
    tokens: Sequence[MatchedToken]


class Factor(NamedTuple):
    """A factor of a product.

    Attributes:
        sign: The sign before it: "×", "=".
        name: Name of the factor.
        value: Its value, as it is read.
        told: Its parts, as "2 / 7".
    """

    sign: str
    name: str
    value: str
    told: str


def matched_tokens(
    rows: Sequence[MatchedRow],
    legend: Mapping[str, str],
    *,
    key: str,
    links: Sequence[tuple[int, int]] = (),
    factors: Sequence[Factor] = (),
) -> None:
    """Draw the texts, their matches, and the product they make.

    Args:
        rows: The candidate first where n-grams are underlined; the reference first where lines are drawn.
        legend: Sort of mark ("1" to "4", "clipped", "link") -> its words in the reader's language.
        key: Widget key.
        links: Tokens of the first and the second row that a line joins.
        factors: Factors of the product.
    """
    data: dict[str, Any] = {
        "rows": [
            {
                "title": row.title,
                "tokens": [[one.label, list(one.orders), one.is_clipped] for one in row.tokens],
                "dir": direction("".join(one.label for one in row.tokens)),
            }
            for row in rows
        ],
        "legend": list(legend.items()),
        "links": [list(pair) for pair in links],
        "linked": bool("link" in legend),
        "factors": [list(factor) for factor in factors],
    }
    _COMPONENT(key=key, data=data)
