"""Values of the URL that no visible widget holds."""

from __future__ import annotations

import streamlit as st


def field(key: str) -> str:
    """Tie a value to the URL, for a link, a reload and the back button; the value.

    The frame's style hides containers whose key begins with `url_of_`: draw it in one.
    """
    value = st.text_input(
        key, key=key, bind="query-params", persist_state="session", label_visibility="collapsed",
        on_change=_keep_ours, args=(key,),
    )  # fmt: skip
    st.session_state[f"{key}_ours"] = value
    return value


def hidden(key: str) -> str:
    """As `field`, in a container of its own."""
    with st.container(key=f"url_of_{key}"):
        return field(key)


def put(key: str, value: str) -> None:
    """Another value; call it before its field is drawn, as callbacks do."""
    st.session_state[key] = st.session_state[f"{key}_ours"] = value


def _keep_ours(key: str) -> None:
    """What the browser says of a field that nobody sees is no news.

    With a click that comes before the answer to the last one it is the value before that one. (What the URL
    says after the back button comes another way, and wins.)
    """
    put(key, st.session_state.get(f"{key}_ours", st.session_state[key]))
