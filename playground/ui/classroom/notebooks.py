"""Notebooks that ask this server: the teacher's switch, and a key for everybody."""

from __future__ import annotations

import streamlit as st

from playground.ui import api_keys, endpoint, room
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _

_SWITCH = "class_endpoint"


def panel(_context: PageContext) -> Later | None:
    """Draw a teacher's switch for this class, and below it what every reader sees."""
    if room.room().state().is_open:
        st.session_state[_SWITCH] = api_keys.is_on()
        st.toggle(
            _("Let notebooks of this class ask"), key=_SWITCH, on_change=_turn,
            help=_("At the end of the class it is again as the server was started."),
        )  # fmt: skip
    else:
        st.caption(_("Begin a class to switch it; without one it is as the server was started."))
    endpoint.draw()
    return None


def box() -> None:
    """Draw the same for a visitor, folded."""
    with st.expander(_("Ask from a notebook"), icon=":material/terminal:"):
        endpoint.draw()


def _turn() -> None:
    api_keys.turn(bool(st.session_state[_SWITCH]))
