"""Pickers whose URL value is an id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from playground.errors import BadValue
from playground.ui.text import plain, sentence
from playground.ui.url import hidden, put


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
        default=default_of(f"{key}_choice", wanted),
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
        default_index(f"{key}_choice", names, wanted),
        key=f"{key}_choice",
        format_func=names.__getitem__,
        on_change=_keep,
        args=(key, tuple(names)),
    )
    return wanted


def default_of(key: str, wanted: str) -> str | None:
    """What to give a picker as its default so that it shows this option.

    The default alone is in the picker's message at every run. What session state sets is sent once, and is
    lost where the browser has not yet the picker's program: its next message then shows another option.
    """
    if st.session_state.get(key, wanted) == wanted:
        return wanted
    st.session_state[key] = wanted
    return None


def default_index(key: str, names: Iterable[str], wanted: str) -> int:
    """As `default_of`, for a list: the number of its default."""
    return 0 if default_of(key, wanted) is None else list(names).index(wanted)


def _wanted(key: str, names: Mapping[str, str]) -> str:
    """The option of the link, else the first.

    What was possible when it was chosen and is no longer (another model, another file) is dropped silently.
    """
    if f"{key}_choice" in st.session_state and st.session_state.get(key) not in (None, "", *names):
        put(key, "")
    chosen = hidden(key)
    if chosen and chosen not in names:
        st.warning(sentence(BadValue(name=key, value=repr(chosen[:40]), allowed=", ".join(names))))
    return chosen if chosen in names else next(iter(names))


def _keep(key: str, options: tuple[str, ...]) -> None:
    """What the browser sends is an option's words: after a change of language or options they name none."""
    chosen = st.session_state[f"{key}_choice"]
    if chosen in options:
        put(key, "" if chosen == options[0] else chosen)
