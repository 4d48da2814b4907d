"""A panel that cannot go on becomes its sentence, in the panel's place; the rest of the page is drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import streamlit as st

from playground.errors import PlaygroundError
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import sentence

DrawPanel = Callable[[PageContext], Later | None]


def or_sentence(draw: DrawPanel) -> DrawPanel:
    """The same panel; an error of ours ends it with one sentence, and nothing that was typed is lost."""

    @wraps(draw)
    def drawn(context: PageContext) -> Later | None:
        try:
            return draw(context)
        except PlaygroundError as error:
            st.error(sentence(error))
            return None

    return drawn
