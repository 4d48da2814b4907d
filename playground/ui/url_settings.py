"""Settings of a picture with sliders of its own, tied to the URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.errors import BadValue
from playground.ui import url
from playground.ui.components.positions import Control
from playground.ui.text import sentence


def chosen(place: str, controls: Sequence[Control]) -> dict[str, float]:
    """Tie the settings of a picture to the URL and give them; a value that cannot be becomes the default.

    Args:
        place: Prefix of the names in the URL, `[a-z_]+`.
        controls: Controls of the picture.
    """
    values = {}
    with st.container(key=f"url_of_{place}"):
        for control in controls:
            url.field(f"{place}_{control.name}")
    for control in controls:
        text = st.session_state.get(f"{place}_{control.name}", "")
        if control.options and text.isascii() and text.isdigit():
            text = text[:6] if int(text[:6]) <= control.high else ""  # the sentence became shorter
        value = control.valid(text) if text else control.default
        if value is None:
            allowed = f"{control.low:,} … {control.high:,}"
            st.warning(sentence(BadValue(name=control.name, value=repr(text[:40]), allowed=allowed)))
        values[control.name] = control.default if value is None else value
    return values


def remember(place: str, controls: Sequence[Control]) -> Callable[[dict[str, float]], None]:
    """A callback that puts released settings into the URL; defaults need no place there."""

    def put(values: dict[str, float]) -> None:
        for control in controls:
            value = values[control.name]
            url.put(f"{place}_{control.name}", "" if value == control.default else f"{value}")

    return put
