"""Coming soon: the panel reward."""

from __future__ import annotations

import streamlit as st

from playground.ui.panels import Later
from playground.ui.state import PageContext


def panel(context: PageContext) -> Later | None:
    """The panel; gives what takes longer."""
    st.caption("…")
    return None
