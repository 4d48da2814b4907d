"""A button that copies the link to the view on the screen.

Being on every page, it lets taps read charts, keys reach what scrolls, and says when something long is done.
"""

from __future__ import annotations

import streamlit as st

from playground.ui.components import script, style
from playground.ui.text import N_, _

_COMPONENT = st.components.v2.component(
    "playground.share",
    html='<button type="button"></button><span role="status" aria-live="polite"></span>',
    css=style("share/share"),
    js=script("share/share", "chart_taps", "readers"),
)
# Names of Streamlit's own buttons and parts, which it says in English alone.
_STREAMLITS = (
    N_("Sidebar"),
    N_("Collapse sidebar"),
    N_("Expand sidebar"),
    N_("App pages"),
    N_("Main menu"),
    N_("Link to heading"),
    N_("Increment"),
    N_("Decrement"),
    N_("Open"),
    N_("Close"),
    N_("Clear all"),
    N_("Selected values"),
)


def share(
    *,
    label: str,
    done: str,
    failed: str,
    params: dict[str, str],
    session: str,
    key: str,
) -> None:
    """Draw the button.

    Args:
        label: Label of the button.
        done: Message shown for a moment after the link was copied.
        failed: Message shown with the link when the browser refuses to copy.
        params: URL parameters the address bar may leave out, written into the link.
        session: Id of the reader's session: the tab names it when it is loaded anew.
        key: Widget key.
    """
    own = {name: said for name in _STREAMLITS if (said := _(name)) != name}
    words = {
        "busy": _("The page is computing"),
        "done": _("Done: the page shows the result"),
        "chart": _("chart"),
    }
    told = {"label": label, "done": done, "failed": failed, "words": words | {"own": own}}
    _COMPONENT(key=key, data=told | {"params": params, "session": session})
