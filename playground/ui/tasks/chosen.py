"""From a figure to its errors: a cell or a list, one of its items, the reader's edit of its text."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.core.files.encoding import readable_text
from playground.core.jobs.items import Item
from playground.ui.choose import list_key
from playground.ui.state import settings
from playground.ui.text import _, plain
from playground.ui.url import hidden, put, setting

CELL, ITEM, EDIT, TURNED = "tsk_cell", "tsk_item", "tsk_edit", "tsk_turned"
N_SHOWN = 30  # items of one list
N_DIGITS = 10  # of a fingerprint, in the link


def item_id(item: Item) -> str:
    """The id of an item in the link."""
    return item.fingerprint[:N_DIGITS]


def choose_cell(name: str) -> None:
    """Remember a cell; a callback."""
    put(CELL, name)
    put(ITEM, "")


def chosen_cell() -> str:
    """The name of the chosen cell, as far as the link or the reader names one."""
    return hidden(CELL)


def pick_item(texts: Mapping[str, tuple[str, str]], label: str) -> str | None:
    """Draw the items of a list, one of which can be chosen; its id.

    Args:
        texts: Id -> (its words in the list, the text that the reader can edit).
        label: Words above the list.
    """
    wanted = hidden(ITEM)
    drawn = list_key("tsk_items", {key: words for key, (words, _text) in texts.items()})

    def keep() -> None:
        chosen = st.session_state[drawn]
        put(ITEM, chosen or "")
        if chosen in texts:
            st.session_state[EDIT] = texts[chosen][1]

    with st.container(key="tsk_items_list", height=260 if len(texts) > 4 else "content"):
        st.radio(
            label, tuple(texts), index=list(texts).index(wanted) if wanted in texts else None,
            format_func=lambda key: plain(texts[key][0]), key=drawn, on_change=keep,
        )  # fmt: skip
    return wanted if wanted in texts else None


def edited(text: str) -> str:
    """Draw the field in which the text of the chosen item is edited; what it says now.

    Args:
        text: The item's own text, which an empty field stands for.
    """
    typed = st.text_area(
        _("Edit the text: the answer follows"), height=100, max_chars=settings().max_text_chars,
        **setting(EDIT, ""),
    )  # fmt: skip
    clean, _n_left_out = readable_text(typed)
    return clean if clean.strip() else text


def turn() -> None:
    """Remember that an edit has turned an answer."""
    st.session_state[TURNED] = True


def has_turned() -> bool:
    """True if an edit of this session has turned an answer."""
    return bool(st.session_state.get(TURNED))


def own_text(key: str, label: str, usual: str, *, height: int | None = None) -> str:
    """Draw the field for the reader's own text; empty, what stands there in grey is read.

    Args:
        key: Key of the field.
        label: Above the field.
        usual: Text that is read until there is another.
        height: Of a field of several lines, in pixels; None for one line.
    """
    grey, most = " ".join(usual.split()), settings().max_text_chars
    if height is None:
        typed = st.text_input(label, placeholder=grey, max_chars=most, **setting(key, ""))
    else:
        typed = st.text_area(label, placeholder=grey, max_chars=most, height=height, **setting(key, ""))
    text, _n_left_out = readable_text(typed)
    return text if text.strip() else usual
