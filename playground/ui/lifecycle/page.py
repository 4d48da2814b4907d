"""Coming soon: Lifecycle."""

from __future__ import annotations

import streamlit as st

from playground.core.tables import tokenization as frames
from playground.ui import compute, show
from playground.ui.components.token_chips import token_chips
from playground.ui.frame import Drawn
from playground.ui.number import slider
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """Coming soon; until then, the first tokens of the sentence."""
    n_most = slider(_("Tokens at most"), range(1, 65), 32, key="lifecycle_n_most")
    tokens = compute.tokenize(context)
    table = frames.side_by_side([tokens]).head(n_most)
    token_chips(tokens, height=84)
    st.markdown(ngettext("{n:,} token", "{n:,} tokens", len(tokens)).format(n=len(tokens)))
    show.source(context.model)
    source = {"folder": show.model_folder(context.model.model_id), "text": context.text, "n_most": n_most}
    show.under_picture("lifecycle", frame=table, code=show.code("lifecycle", **source))
    tasks = [
        Task("tokens", "number", lambda: len(tokens)),
        Task("different", "number", lambda: len(set(tokens.input_ids))),
        Task("characters", "number", lambda: len(context.text)),
    ]
    return tasks, None
