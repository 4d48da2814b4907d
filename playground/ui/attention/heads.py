"""The heads of the attention page: all, the map of one, its row. Another head reruns only these."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.ui.attention import pictures as head_pictures
from playground.ui.attention import ranking as head_ranking
from playground.ui.attention import row as attention_row
from playground.ui.attention import view as attention
from playground.ui.attention.tasks import strong_link
from playground.ui.attention.view import View
from playground.ui.choose import choose
from playground.ui.state import PageContext
from playground.ui.text import _


@dataclass
class Drawn:
    """The state that a full run drew, to notice when the rest of the page has to follow.

    Attributes:
        view: The view of the page.
        panel: Id of the panel under "Look closer"; the row is drawn here, the others by the page.
        shared: The part of it that the rest of the page shows.
    """

    view: View | None = None
    panel: str = ""
    shared: tuple[object, ...] = ()


def heads(context: PageContext) -> tuple[View, str]:
    """Draw them; give what the page looks at, and which panel it is to draw.

    Args:
        context: From `frame.page`.
    """
    drawn = Drawn()
    # a fragment waits for the end of a full run, and that of a ranking takes long: then the page runs whole
    draw = _draw if head_ranking.is_ranking() else st.fragment(_draw)
    draw(context, drawn)
    assert drawn.view is not None
    return drawn.view, drawn.panel


def _draw(context: PageContext, drawn: Drawn) -> None:
    view = attention.look(context)
    if drawn.view is not None and _shared(view, st.session_state["att_panel"]) != drawn.shared:
        st.rerun()
    with st.container():
        chosen = head_pictures.controls(view)
        grid_at, map_at = st.columns([5, 6], gap="medium")
        with grid_at:
            head_pictures.grid(view, chosen)
        with map_at:
            head_pictures.one_head(view)
    st.markdown(f"#### {_('Look closer')}")
    panels = {
        "row": _("The arithmetic of one row"),
        "off": _("Switch heads off"),
        "masks": _("Encoder and decoder"),
        "flow": _("Through all layers"),
        "bertviz": "BertViz",
    }
    panel = choose("att_panel", panels, _("Look closer"))
    if panel == "row":
        attention_row.row(view)
    if drawn.view is None:
        drawn.view, drawn.panel, drawn.shared = view, panel, _shared(view, st.session_state["att_panel"])


def _shared(view: View, panel: str) -> tuple[object, ...]:
    """The part that is drawn outside: in the other panels and the tasks."""
    head = (view.layer, view.head) if panel else None  # no panel in the link: the row, drawn here
    return panel, head, view.start, view.query, view.off, strong_link(view)
