"""Fields for a number that say what they cannot take."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, cast

import streamlit as st

from playground.ui.text import _, plain
from playground.ui.url import setting

Number = TypeVar("Number", int, float)


def number_field(
    label: str,
    low: Number,
    high: Number,
    default: Number,
    step: Number | None = None,
    *,
    key: str,
    width: int | Literal["stretch"] = "stretch",
    help: str | None = None,
    disabled: bool = False,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> Number:
    """A field for a number, bound to the URL; beyond its limits the nearest one is taken, and that is said.

    With limits of Streamlit's own the browser keeps such a number in the field and sends nothing: the page
    would go on with the number before, without a word. A number of the link that cannot be becomes the
    default.

    Args:
        label: Above the field.
        low, high: What is possible.
        default: At first; needs no place in the URL.
        step: Of its two buttons.
        key: Of the field, and its name in the URL.
        width, help, disabled, label_visibility: As `st.number_input` takes them.
    """
    asked = st.query_params.get(key)
    limits: Any = (None, None)  # int and float have overloads of their own
    if key in st.session_state:
        if not low <= st.session_state[key] <= high:  # the limits are others now
            st.session_state[key] = min(max(st.session_state[key], low), high)
    elif asked is not None and not _is_possible(asked, low, high):
        limits = (low, high)  # for this run: Streamlit drops the link's value, which would win over ours
        st.session_state[f"{key}_typed"] = asked[:20], default
    value: Number = cast("Any", st.number_input)(
        label, *limits, default, step, on_change=_limit,
        args=(key, low, high), width=width, help=help, disabled=disabled, label_visibility=label_visibility,
        **setting(key, default),
    )  # fmt: skip
    used_now = min(max(value, low), high)
    if used_now != value:  # the browser's back button has brought it
        st.session_state[f"{key}_typed"] = _short(value), used_now
    typed, used = st.session_state.get(f"{key}_typed", ("", None))
    if used is not None and used == used_now:
        told = _("{name}: {typed} is not possible, only {low} to {high}; it is {used} now.")
        words = {"low": _short(low), "high": _short(high), "used": _short(used)}
        st.caption(told.format(name=label, typed=plain(typed), **words), width="content")
    return used_now


def _is_possible(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


def _limit(key: str, low: Number, high: Number) -> None:
    """What was typed, or the nearest that is possible."""
    value = st.session_state[key]
    if low <= value <= high:
        st.session_state.pop(f"{key}_typed", None)
    else:
        _put(key, _short(value), min(max(value, low), high))


def _put(key: str, typed: str, used: Number) -> None:
    st.session_state[key] = used
    st.session_state[f"{key}_typed"] = typed[:20], used


def _short(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
