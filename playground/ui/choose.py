"""Pickers whose URL value is an id."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.errors import BadValue
from playground.ui.text import plain, sentence


def choose(key: str, names: Mapping[str, str], label: str) -> str:
    """One of a few options, side by side; the URL keeps its id, whatever the language.

    Args:
        key: URL parameter.
        names: Option -> its words; the first is the default and needs no parameter.
        label: For those who do not see it.
    """
    wanted = _wanted(key, names)
    st.segmented_control(
        label,
        tuple(names),
        key=f"{key}_choice",
        format_func=lambda option: plain(names[option]),
        required=True,
        label_visibility="collapsed",
        on_change=_keep,
        args=(key, tuple(names)),
    )
    return wanted


def choose_from_list(key: str, names: Mapping[str, str], label: str) -> str:
    """As `choose`, for more options than fit side by side."""
    wanted = _wanted(key, names)
    st.selectbox(
        label,
        tuple(names),
        key=f"{key}_choice",
        format_func=names.__getitem__,
        on_change=_keep,
        args=(key, tuple(names)),
    )
    return wanted


def _wanted(key: str, names: Mapping[str, str]) -> str:
    """The option of the link, else the first; the picker is set to it.

    What was possible when it was chosen and is no longer (another model, another file) is dropped silently.
    """
    if f"{key}_choice" in st.session_state and st.session_state.get(key) not in (None, "", *names):
        st.session_state[key] = ""
    chosen = hidden(key)
    if chosen and chosen not in names:
        st.warning(sentence(BadValue(name=key, value=repr(chosen[:40]), allowed=", ".join(names))))
    wanted = chosen if chosen in names else next(iter(names))
    if st.session_state.get(f"{key}_choice") != wanted:
        st.session_state[f"{key}_choice"] = wanted
    return wanted


def hidden(key: str) -> str:
    """Tie a value to the URL that no visible widget holds; set it in callbacks, before it is drawn.

    The frame's style hides containers whose key begins with `url_of_`.
    """
    with st.container(key=f"url_of_{key}"):
        return st.text_input(
            key, key=key, bind="query-params", persist_state="session", label_visibility="collapsed"
        )


def _keep(key: str, options: tuple[str, ...]) -> None:
    """What the browser sends is an option's words: after a change of language or options they name none."""
    chosen = st.session_state[f"{key}_choice"]
    if chosen in options:
        st.session_state[key] = "" if chosen == options[0] else chosen
