"""The last station: the session's own endpoint, which programs ask as they ask any provider."""

from __future__ import annotations

import streamlit as st

from playground.ui import endpoint
from playground.ui.state import PageContext
from playground.ui.text import _


def panel(_context: PageContext) -> None:
    """Draw the endpoint: its address, a key of this session, the code that asks."""
    st.markdown(f"## {_('How does a program of yours ask the model?')}")
    endpoint.draw()
