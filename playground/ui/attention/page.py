"""Attention: which earlier tokens does a token look at, in which head, and does it matter?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.ui import compute
from playground.ui.attention import ablation, bertviz, masks, pictures, ranking, rollout, row
from playground.ui.attention.tasks import strong_link, tasks
from playground.ui.attention.view import View, look
from playground.ui.components.token_chips import token_chips
from playground.ui.fragments import RestOfPage
from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The tokens, all heads and the chosen one, and one panel about them."""
    token_chips(compute.tokenize(context), height=84)
    rest = RestOfPage()
    # a fragment waits for the end of a full run, and that of a ranking takes long: then the page runs whole
    draw_heads = _heads if ranking.is_ranking() else st.fragment(_heads)
    view, panel = draw_heads(context, rest)
    rest.shows(*_shared(view))
    if panel is not None:
        panel.draw()
    return tasks(view), None


def _heads(context: PageContext, rest: RestOfPage) -> tuple[View, Panel[[]] | None]:
    """All heads, the map of one, its row; another head reruns only these.

    Returns:
        What the page looks at, and the panel that the page is to draw, None where it is drawn here.
    """
    view = look(context)
    rest.follow(*_shared(view))
    with st.container():
        chosen = pictures.controls(view)
        grid_at, map_at = st.columns([5, 6], gap="medium")
        with grid_at:
            pictures.grid(view, chosen)
        with map_at:
            pictures.one_head(view)
            pictures.virtual_share(view)
    st.markdown(f"## {_('Look closer')}")
    panels = _panels(view)
    panel = pick("att_panel", panels, _("Look closer"))
    if panel is not panels["row"]:
        return view, panel
    panel.draw()
    return view, None


def _panels(view: View) -> dict[str, Panel[[]]]:
    context = view.context

    def off() -> None:
        if (measured := ablation.panel(view)) is not None:
            ranking.rank(measured)

    return {
        "row": Panel(_("The arithmetic of one row"), partial(row.row, view)),
        "off": Panel(_("Switch heads off"), off),
        "masks": Panel(_("Encoder and decoder"), partial(masks.two_masks, context)),
        "flow": Panel(_("Through all layers"), partial(rollout.panel, view)),
        "bertviz": Panel("BertViz", partial(bertviz.panel, context, view.trace)),
    }


def _shared(view: View) -> tuple[object, ...]:
    """The state that is drawn outside of the heads: in the other panels and the tasks."""
    panel = st.session_state.get("att_panel", "")
    head = (view.layer, view.head) if panel else None  # no panel in the link: the row, drawn here
    return panel, head, view.start, view.query, view.off, strong_link(view)
