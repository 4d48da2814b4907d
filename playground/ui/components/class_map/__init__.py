"""The class by page: a row a page, a chip a student."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.class_map",
    html='<div class="class-map"></div>\n',
    css=style("keyboard", "class_map/class_map"),
    js=script("class_map/class_map"),
)


class MapRow(NamedTuple):
    """A row of the map.

    Attributes:
        title: Title of the page.
        here, away: Nicknames, "" where they are not shown.
    """

    title: str
    here: Sequence[str]
    away: Sequence[str] = ()


def class_map(rows: Sequence[MapRow], *, n_others: int, key: str) -> None:
    """Draw the map.

    Args:
        rows: Pages with students on them.
        n_others: Sessions without a nickname, of which nothing else is known.
        key: Widget key.
    """
    words = {
        "map": _("Pages and who is on them"), "here": _("here"), "away": _("not heard of for over a minute"),
        "others": _("without a nickname"), "nobody": _("Nobody has joined."),
    }  # fmt: skip
    data = {"rows": [[one.title, list(one.here), list(one.away)] for one in rows], "n_others": n_others}
    _COMPONENT(key=key, data={**data, "words": words})
