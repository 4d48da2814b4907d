"""A button that copies the link to exactly what is on the screen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "playground.share",
    html='<button type="button"></button><span role="status" aria-live="polite"></span>',
    css=(_HERE / "share.css").read_text("utf-8"),
    js=(_HERE / "share.js").read_text("utf-8"),
)


def share(*, label: str, done: str, failed: str, params: dict[str, str], session: str, key: str) -> None:
    """Draw the button.

    Args:
        label: On the button.
        done: Shown for a moment after the link was copied.
        failed: Shown with the link when the browser refuses to copy.
        params: URL parameters the address bar may leave out, written into the link.
        session: Id of the reader's session: the tab names it when it is loaded anew.
        key: Widget key.
    """
    _COMPONENT(
        key=key, data={"label": label, "done": done, "failed": failed, "params": params, "session": session}
    )
