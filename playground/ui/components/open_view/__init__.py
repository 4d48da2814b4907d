"""A button that opens a view of this app in the same tab, so that the view's link decides everything."""

from __future__ import annotations

import streamlit as st

from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.open_view",
    html='<button type="button"></button>\n',
    css=style("share/share"),
    js=script("open_view/open_view"),
)


def open_view(*, label: str, link: str, key: str) -> None:
    """Draw the button.

    Args:
        label: Label of the button.
        link: Absolute path of the view, with its settings.
        key: Widget key.
    """
    _COMPONENT(key=key, data={"label": label, "link": link})
