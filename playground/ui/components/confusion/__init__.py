"""A confusion matrix whose cells can be chosen: a row for each right label, a column for each answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.confusion",
    html='<div class="confusion"></div>\n',
    css=style("keyboard", "confusion/confusion"),
    js=script("confusion/confusion"),
)
Cell = tuple[int, int]


def confusion(
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    *,
    selected: Cell | None,
    key: str,
    on_select: Callable[[Cell], None],
) -> None:
    """Draw the matrix; cells without items cannot be chosen.

    Args:
        counts: Items by right label (row) and answer (column).
        names: Labels in the reader's language, of rows and columns alike.
        selected: Row and column of the chosen cell.
        key: Widget key.
        on_select: Called with a cell that the reader chose, before the rerun.
    """

    def chosen() -> None:
        if (cell := _cell(st.session_state[key].get("cell"), counts)) is not None:
            on_select(cell)

    n = sum(map(sum, counts))
    _COMPONENT(
        key=key,
        data={
            "counts": [list(row) for row in counts],
            "names": list(names),
            "selected": list(selected) if selected else None,
            "words": {
                "matrix": _("Confusion matrix"),
                "right": _("right label ↓"),
                "answer": _("answer of the model →"),
                "cell": _("right: {row}, answered: {column}: {n}"),
                "good": _("answered right"),
                "bad": _("answered wrong"),
                "more": _("the stronger, the more of its row"),
                "hint": _("{n} in all. Click or tap a cell to see its items.").format(n=n),
            },
        },
        default={"cell": None},
        on_cell_change=chosen,
    )


def _cell(sent: object, counts: Sequence[Sequence[int]]) -> Cell | None:
    """The cell that the browser sent, None unless it is one with items."""
    if not isinstance(sent, dict):
        return None
    row, column = sent.get("row"), sent.get("column")
    if type(row) is not int or type(column) is not int:
        return None
    if not (0 <= row < len(counts) and 0 <= column < len(counts[row])):
        return None
    return (row, column) if counts[row][column] else None
