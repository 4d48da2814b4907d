"""Fields for a number that say what they cannot take."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    would go on with the number before, without a word. A value that is not a number becomes the default.

    Args:
        label: Above the field.
        low, high: Smallest and largest possible value.
        default: At first; needs no place in the URL.
        step: Step of its two buttons.
        key: Key of the field, and its name in the URL.
        width, help, disabled, label_visibility: As `st.number_input` takes them.
    """
    asked = st.query_params.get(key)
    limits: Any = (None, None)  # int and float have overloads of their own
    if key in st.session_state:
        if not low <= st.session_state[key] <= high:  # the limits are others now
            st.session_state[key] = min(max(st.session_state[key], low), high)
    elif asked is not None and not _is_possible(asked, low, high):
        limits = (low, high)  # for this run: Streamlit drops the link's value, which would win over ours
        _put(key, asked, _nearest(asked, (low, high), default))
    parts: Any = (*limits, default, step)
    if asked is not None and _is_infinite(asked):  # Streamlit would ask for int(inf)
        parts = [None if one is None else float(one) for one in parts]
    value: Number = cast("Any", st.number_input)(
        label, *parts, on_change=_limit,
        args=(key, low, high), width=width, help=help, disabled=disabled, label_visibility=label_visibility,
        **setting(key, default),
    )  # fmt: skip
    used_now = type(default)(min(max(value, low), high))
    if used_now != value:  # the browser's back button has brought it
        st.session_state[f"{key}_typed"] = _short(value), used_now
    _say(label, low, high, key, used_now)
    return used_now


def slider(
    label: str,
    options: Sequence[Number],
    default: Number,
    *,
    key: str,
    help: str | None = None,
    disabled: bool = False,
    width: int | Literal["stretch"] = "stretch",
) -> Number:
    """A slider, bound to the URL; a number of the link that it has not becomes the nearest, which is said.

    Args:
        label: Above the slider.
        options: Possible values, from small to large.
        default: At first; needs no place in the URL.
        key: Key of the slider, and its name in the URL.
        help, disabled, width: As `st.slider` takes them.
    """
    asked = st.query_params.get(key)
    if key in st.session_state:
        if not options[0] <= st.session_state[key] <= options[-1]:  # the options are others now
            st.session_state[key] = min(max(st.session_state[key], options[0]), options[-1])
    elif asked is not None:
        nearest = _nearest(asked, options, default)
        if not _is_possible(asked, nearest, nearest):
            _put(key, asked, nearest)
    more: Any = {"help": help, "disabled": disabled, "width": width, **setting(key, default)}
    if isinstance(options, range):
        used: Number = st.slider(label, options[0], options[-1], default, options.step, **more)
    else:
        used = st.select_slider(label, options, default, format_func=_plain, **more)
    _say(label, options[0], options[-1], key, used)
    return used


def _say(label: str, low: Number, high: Number, key: str, used_now: Number) -> None:
    """Say what was not possible, as long as what was taken instead stands there."""
    typed, used = st.session_state.get(f"{key}_typed", ("", None))
    if used is not None and used == used_now:
        told = _("{name}: {typed} is not possible, only {low} to {high}; it is {used} now.")
        words = {"low": _short(low), "high": _short(high), "used": _short(used)}
        st.caption(told.format(name=label, typed=plain(typed), **words), width="content")


def _nearest(text: str, options: Sequence[Number], default: Number) -> Number:
    """The option that is nearest to a number of the link; the default where that is not a number."""
    try:
        number = float(text)
    except ValueError:
        return default
    if math.isnan(number):
        return default
    within = min(max(number, options[0]), options[-1])
    return min(options, key=lambda one: abs(one - within))


def _is_possible(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


def _is_infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def _limit(key: str, low: Number, high: Number) -> None:
    """The typed number, or the nearest one that is possible."""
    value = st.session_state[key]
    if low <= value <= high:
        st.session_state.pop(f"{key}_typed", None)
    else:
        _put(key, _short(value), min(max(value, low), high))


def _put(key: str, typed: str, used: Number) -> None:
    st.session_state[key] = used
    st.session_state[f"{key}_typed"] = typed[:20], used


def _plain(value: float) -> str:
    """As it stands in a link, where Streamlit looks for what the slider shows."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def _short(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
