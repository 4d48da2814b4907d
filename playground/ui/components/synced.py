"""A value of a component that browser and Python both change.

The browser shows a change at once and sends it as one of its states, with the revision it answers. While
Python agrees, the data stay byte for byte the same; when Python wants something else, the revision goes up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

View = TypeVar("View")
Reads = Callable[[Mapping[str, Any]], View | None]


def shown(key: str, wanted: View, read: Reads[View], state: str = "view") -> tuple[int, View]:
    """Revision and value to put into the component's data.

    Args:
        key: Widget key.
        wanted: The value that the component is to show now.
        read: Turns the browser's state into a value, None if it is not possible.
        state: Name under which the browser sends it.
    """
    revision, value = st.session_state.get(f"{key}_shown") or (0, wanted)
    st.session_state[f"{key}_shown"] = revision, value
    if wanted != (changed(key, read, state) or value):
        revision, value = revision + 1, wanted
        st.session_state[f"{key}_shown"] = revision, value
    return revision, value


def changed(key: str, read: Reads[View], state: str = "view") -> View | None:
    """The value that the reader chose, if it is possible and answers the value Python last showed."""
    sent = st.session_state.get(key)
    view = sent.get(state) if sent else None
    revision, _value = st.session_state[f"{key}_shown"]
    if not isinstance(view, dict) or view.get("revision") != revision:
        return None
    return read(view)
