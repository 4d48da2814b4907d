"""The settings of each page in the URL, kept in the session while the reader is elsewhere."""

from __future__ import annotations

from typing import Literal, TypedDict

import streamlit as st


class Tied(TypedDict):
    """Arguments that tie a widget to the URL."""

    key: str
    bind: Literal["query-params"]
    persist_state: Literal["session"]


def setting(key: str, default: object) -> Tied:
    """Arguments of a widget that is a setting of the page: `st.toggle(label, **setting("att_sort", False))`.

    The URL holds it, the session keeps it while its widget is not drawn, `reset` puts it back.

    Args:
        key: Key of the widget, and its name in the URL.
        default: Value of the widget at first.
    """
    session = st.session_state
    session.setdefault("settings", {}).setdefault(session.get("page", ""), set()).add(key)
    session.setdefault("drawn_settings", {})[key] = default
    return Tied(key=key, bind="query-params", persist_state="session")


def begin(page: str) -> None:
    """Say which page the settings that are drawn from now on belong to."""
    st.session_state["page"] = page
    st.session_state["drawn_settings"] = {}


def reset(page: str) -> None:
    """Put every setting of a page back to its default; a callback.

    What is drawn is set, so that the browser hears of it; what is not is forgotten, and is its default when
    it is drawn again.
    """
    session = st.session_state
    for key in session.get("settings", {}).get(page, ()):
        session.pop(f"{key}_ours", None)
        session.pop(f"{key}_typed", None)
        if key in session["drawn_settings"]:
            session[key] = session["drawn_settings"][key]
        else:
            session.pop(key, None)


def field(key: str) -> str:
    """Tie a setting of the page to the URL that no visible widget holds; the value.

    The frame's style hides containers whose key begins with `url_of_`: draw it in one.
    """
    return _field(setting(key, ""))


def shared_field(key: str) -> str:
    """As `field`, for what belongs to all pages."""
    return _field(Tied(key=key, bind="query-params", persist_state="session"))


def _field(tied: Tied) -> str:
    key = tied["key"]
    value = st.text_input(key, **tied, label_visibility="collapsed", on_change=_keep_ours, args=(key,))
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
    """Ignore the browser's value of a field that nobody sees.

    With a click that comes before the answer to the last one it is the value before that one. (What the URL
    says after the back button comes another way, and wins.)
    """
    put(key, st.session_state.get(f"{key}_ours", st.session_state[key]))
