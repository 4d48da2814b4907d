"""One panel at a time: the one that the link names, and no other is computed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    """A page of two panels, of which one takes longer."""
    from functools import partial

    import streamlit as st

    from playground.ui.panels import Panel, pick

    def late() -> object:
        st.caption("two")
        return partial(st.caption, "later")

    panels = {"one": Panel("First", partial(st.caption, "one")), "two": Panel("Second", late)}
    later = pick("x_panel", panels, "Look closer").draw()
    st.caption("tasks")
    if callable(later):
        later()


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("", ["one", "tasks"]),
        ("one", ["one", "tasks"]),
        ("two", ["two", "tasks", "later"]),
        ("none of them", ["one", "tasks"]),
    ],
)
def test_the_panel_of_the_link_is_drawn_alone(link: str, shown: list[str]) -> None:
    app = AppTest.from_function(page)
    if link:
        app.query_params["x_panel"] = link
    app.run()
    assert not app.exception
    assert [caption.value for caption in app.caption] == shown
    assert bool(app.warning) == (link == "none of them")
