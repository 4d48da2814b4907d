"""A teacher's button that sends the view on the screen, with all its settings, to the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.class_send",
    html='<button type="button"></button><span role="status" aria-live="polite"></span>\n',
    css=style("share/share"),
    js=script("class_send/class_send"),
)


def class_send(*, label: str, sent: str, key: str, on_send: Callable[[str], None]) -> None:
    """Draw the button.

    Args:
        label: Label of the button.
        sent: Message shown for a moment after a click.
        key: Widget key.
        on_send: Called with the link of the view, before the rerun.
    """

    def on_link_change() -> None:
        link: Any = (st.session_state.get(key) or {}).get("link")
        if isinstance(link, str):
            on_send(link)

    _COMPONENT(key=key, data={"label": label, "sent": sent}, on_link_change=on_link_change)
