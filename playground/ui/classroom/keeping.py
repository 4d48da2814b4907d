"""Answers of tasks in the class: a teacher keeps them back, and shows them."""

from __future__ import annotations

import streamlit as st

from playground.ui import room
from playground.ui.hidden_answers import answers
from playground.ui.text import _


def control() -> None:
    """Draw the button; nothing while there is no class."""
    if not room.room().state().is_open:
        return
    are_hidden = answers().are_hidden
    label = _("Show the answers of tasks") if are_hidden else _("Keep the answers of tasks back")
    icon = ":material/visibility:" if are_hidden else ":material/visibility_off:"
    with st.container(horizontal=True, vertical_alignment="center", key="class_answers"):
        st.button(label, key="class_keep", icon=icon, type="tertiary", on_click=_keep, args=(not are_hidden,))
        if are_hidden:
            st.caption(_("Students answer the tasks and are not told what is right until you show it."))


@room.for_teachers
def _keep(are_hidden: bool) -> None:
    if are_hidden:
        answers().hide()
    else:
        answers().show()
    room.room().tell()
