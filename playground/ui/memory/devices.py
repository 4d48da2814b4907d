"""Bytes on each of many GPUs."""

from __future__ import annotations

import streamlit as st

from playground.ui.memory.shown import Shown
from playground.ui.state import PageContext
from playground.ui.text import _


def panel(context: PageContext, shown: Shown) -> None:
    """Draw it."""
    st.markdown(f"## {_('Where does each byte lie, and what travels?')}")
