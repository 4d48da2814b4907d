"""Two buttons that save a picture of the page as PNG or SVG, made in the browser from the picture shown."""

from __future__ import annotations

import streamlit as st

from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.save_picture",
    html='<button type="button" data-kind="png"></button><button type="button" data-kind="svg"></button>',
    css=style("save_picture/save_picture"),
    js=script("save_picture/save_picture"),
)


def save_picture(picture: str, *, file_name: str, png: str, svg: str, key: str) -> None:
    """Draw the buttons.

    Args:
        picture: Key of the element or container that holds the picture (its first SVG or canvas).
        file_name: Name of the file without suffix.
        png, svg: Labels of the buttons. The SVG of a picture on a canvas holds it as one image.
        key: Widget key.
    """
    _COMPONENT(
        key=key,
        data={"picture": picture, "fileName": file_name, "labels": {"png": png, "svg": svg}},
        width="content",
    )
