"""Pickers whose URL value is an id."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import count
from typing import TypeVar

import streamlit as st

from playground.errors import BadValue
from playground.ui.text import plain, sentence
from playground.ui.url import hidden, put

Option = TypeVar("Option", bound=Hashable)
MOST_NAMED = 16  # options in a sentence: a model has hundreds of tensors


def choose(key: str, names: Mapping[str, str], label: str) -> str:
    """One of a few options, side by side; the URL keeps its id, whatever the language.

    Args:
        key: URL parameter.
        names: Option -> its words; the first is the default and needs no parameter.
        label: For those who do not see it.
    """
    names = told_apart(names)
    wanted = _wanted(key, names)
    drawn = list_key(f"{key}_choice", names)
    st.segmented_control(
        label,
        tuple(names),
        default=default_of(drawn, wanted),
        key=drawn,
        format_func=lambda option: plain(names[option]),
        required=True,
        label_visibility="collapsed",
        on_change=_keep,
        args=(key, drawn, tuple(names)),
    )
    return wanted


def choose_from_list(key: str, names: Mapping[str, str], label: str) -> str:
    """As `choose`, for more options than fit side by side."""
    names = told_apart(names)
    wanted = _wanted(key, names)
    drawn = list_key(f"{key}_choice", names)
    st.selectbox(
        label,
        tuple(names),
        default_index(drawn, names, wanted),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_keep,
        args=(key, drawn, tuple(names)),
    )
    return wanted


def told_apart(names: Mapping[Option, str]) -> dict[Option, str]:
    """The words of options, numbered where they are equal: what the browser sends back is words, not ids.

    Example:
        >>> told_apart({"a": "x", "b": "y", "c": "x", "d": "x (2)"})
        {'a': 'x', 'b': 'y', 'c': 'x (3)', 'd': 'x (2)'}
    """
    taken = set(names.values())
    apart: dict[Option, str] = {}
    for option, words in names.items():
        if words in apart.values():
            numbered = (f"{words} ({number})" for number in count(2))
            words = next(one for one in numbered if one not in taken)
            taken.add(words)
        apart[option] = words
    return apart


def list_key(key: str, names: Mapping[Option, str]) -> str:
    """The key to draw a list under: another one as soon as its options or their words are others.

    The browser takes a list with the same key for the same list: it goes on showing words of before, and what
    it sends of them could name another option.

    Args:
        key: Key of the list when it is drawn first.
        names: Option -> its words.
    """
    words = hash(tuple(names.items()))
    n_before, words_before = st.session_state.get(f"{key}_words", (0, words))
    st.session_state[f"{key}_words"] = n_before + (words != words_before), words
    return last_key(key)


def last_choice(key: str) -> object:
    """The option chosen in a list drawn under `list_key`, also before its next words are drawn."""
    return st.session_state.get(last_key(key))


def last_key(key: str) -> str:
    """The last result of `list_key`."""
    n, _words = st.session_state.get(f"{key}_words", (0, 0))
    return f"{key}_{n}" if n else key


def default_of(key: str, wanted: Option) -> Option | None:
    """The default to give a picker so that it shows this option.

    The default alone is in the picker's message at every run. What session state sets is sent once, and is
    lost where the browser has not yet the picker's program: its next message then shows another option.
    """
    if st.session_state.get(key, wanted) == wanted:
        return wanted
    st.session_state[key] = wanted
    return None


def default_index(key: str, names: Iterable[Option], wanted: Option) -> int:
    """As `default_of`, for a list: the number of its default."""
    return 0 if default_of(key, wanted) is None else list(names).index(wanted)


def _wanted(key: str, names: Mapping[str, str]) -> str:
    """The option of the link, otherwise the first.

    An option that is no longer possible (another model, another file) is dropped silently.
    """
    if last_key(f"{key}_choice") in st.session_state and st.session_state.get(key) not in (None, "", *names):
        put(key, "")
    chosen = hidden(key)
    if chosen and chosen not in names:
        some = [*names] if len(names) <= MOST_NAMED else [*list(names)[:MOST_NAMED], "…"]
        st.warning(sentence(BadValue(name=key, value=repr(chosen[:40]), allowed=", ".join(some))))
    return chosen if chosen in names else next(iter(names))


def _keep(key: str, drawn: str, options: tuple[str, ...]) -> None:
    """Keep the choice: after a change of language or options the browser's words name no option any more."""
    chosen = st.session_state[drawn]
    if chosen in options:
        put(key, "" if chosen == options[0] else chosen)
