"""A button that copies the link to the view on the screen.

Being on every page, it lets taps read charts, keys reach what scrolls, and says when something long is done.
"""

from __future__ import annotations

import streamlit as st

from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.share",
    html='<button type="button"></button><span role="status" aria-live="polite"></span>',
    css=style("share/share"),
    js=script("share/share", "chart_taps", "readers"),
)


def share(
    *,
    label: str,
    done: str,
    failed: str,
    params: dict[str, str],
    session: str,
    words: dict[str, str],
    key: str,
) -> None:
    """Draw the button.

    Args:
        label: Label of the button.
        done: Message shown for a moment after the link was copied.
        failed: Message shown with the link when the browser refuses to copy.
        params: URL parameters the address bar may leave out, written into the link.
        session: Id of the reader's session: the tab names it when it is loaded anew.
        words: Said to readers who do not see the page, `busy` when something
            takes long, `done` at its end, `chart` before the description of one.
        key: Widget key.
    """
    told = {"label": label, "done": done, "failed": failed, "words": words}
    _COMPONENT(key=key, data=told | {"params": params, "session": session})
