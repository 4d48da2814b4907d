"""A training example as rows of tokens: what is hidden, changed or asked for is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction

_COMPONENT = st.components.v2.component(
    "playground.example_rows",
    html='<div class="example-rows"></div>\n',
    css=style("example_rows/example_rows"),
    js=script("example_rows/example_rows"),
)

Kind = Literal["plain", "frame", "mask", "random", "kept", "sentinel", "true", "false"]


class ExamplePiece(NamedTuple):
    """One token of an example.

    Attributes:
        label: Text of the token.
        kind: Sort of token.
        below: Text under it: the answer that is wanted there; "" for none.
    """

    label: str
    kind: Kind = "plain"
    below: str = ""


class ExampleRow(NamedTuple):
    """One row of tokens and its title."""

    title: str
    pieces: Sequence[ExamplePiece]


def example_rows(rows: Sequence[ExampleRow], legend: Mapping[Kind, str], *, key: str) -> None:
    """Draw the rows, and a legend of the kinds that stand in them.

    Args:
        rows: The rows, from top to bottom.
        legend: Kind -> its words in the reader's language.
        key: Widget key.
    """
    used = {piece.kind for row in rows for piece in row.pieces}
    _COMPONENT(
        key=key,
        data={
            "rows": [
                {
                    "title": row.title,
                    "pieces": [list(piece) for piece in row.pieces],
                    "dir": direction("".join(piece.label for piece in row.pieces)),
                }
                for row in rows
            ],
            "legend": [[kind, words] for kind, words in legend.items() if kind in used],
        },
    )
