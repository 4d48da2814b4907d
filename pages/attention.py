"""Attention: which earlier tokens does a token look at, in which head, and does it matter?"""

import streamlit as st

from playground.ui import (
    ablation,
    attention,
    attention_row,
    bertviz_view,
    compute,
    frame,
    head_pictures,
    rollout,
    two_masks,
)
from playground.ui.attention_tasks import tasks
from playground.ui.choose import choose
from playground.ui.components.token_chips import token_chips
from playground.ui.text import _

context = frame.page("attention", needs=["attentions"])
token_chips(compute.tokenize(context), height=84)
attention.examples()
view = attention.look(context)
head_pictures.grid(view)
head_pictures.one_head(view)

st.markdown(f"#### {_('Look closer')}")
panels = {
    "row": _("The arithmetic of one row"),
    "off": _("Switch heads off"),
    "masks": _("Encoder and decoder"),
    "flow": _("Through all layers"),
    "bertviz": "BertViz",
}
match choose("att_panel", panels, _("Look closer")):
    case "row":
        attention_row.row(context, view.layer, view.head, view.start + view.query, view.trace.window)
    case "off":
        ablation.panel(view)
    case "masks":
        two_masks.two_masks(context)
    case "flow":
        rollout.panel(view)
    case "bertviz":
        bertviz_view.panel(context, view.trace)
frame.end_of_page(context, tasks(view))
