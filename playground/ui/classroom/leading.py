"""A teacher's controls: begin and end a class, send a view, let training rest."""

from __future__ import annotations

import streamlit as st

from playground.core.classroom.room import RoomState
from playground.core.classroom.views import MAX_LINK_CHARS
from playground.ui import everybody, in_class, room, state
from playground.ui.classroom.signing import sign_out
from playground.ui.text import _, lesson, plain

_LINK = "class_link"


def controls(now: RoomState) -> None:
    """Draw the row of a teacher's controls.

    Args:
        now: The class.
    """
    if (said := st.session_state.pop(room.SAID, None)) is not None:
        st.error(said)
    with st.container(horizontal=True, vertical_alignment="bottom", key="class_controls"):
        if not now.is_open:
            _button(_("Begin a class"), "begin", ":material/play_arrow:", _begin, primary=True)
        else:
            st.text_input(
                _("Link of a view"), key=_LINK, max_chars=MAX_LINK_CHARS, width=220,
                placeholder="/attention?…",
                help=_("Copy it with “Copy the link to this view” on any page."),
            )  # fmt: skip
            _button(_("Send to all who follow"), "send_link", ":material/send:", _send, primary=True)
            if now.is_frozen:
                _button(_("Let training go on"), "release", ":material/play_arrow:", _freeze, False)
            else:
                _button(_("Pause training for all"), "freeze", ":material/pause:", _freeze, True)
            _button(_("End the class"), "end", ":material/stop:", _end)
        st.button(_("Sign out"), key="class_sign_out", type="tertiary", on_click=sign_out)
    _say(now)


def _say(now: RoomState) -> None:
    """Draw the state of the class, and the times after which it ends without a teacher."""
    if not now.is_open:
        st.caption(_("Nothing about anybody is kept: at the end of the class all of it is gone."))
        return
    limits, said = state.settings(), []
    if now.pushed is not None:
        said.append(_("Sent last: {page}").format(page=plain(lesson(now.pushed.page).title)))
    if now.is_frozen:
        told = _("Training rests. Without a teacher here it goes on after {minutes:.0f} minutes.")
        said.append(told.format(minutes=limits.class_release_s / 60))
    told = _("Without a teacher here the class ends after {minutes:.0f} minutes.")
    said.append(told.format(minutes=limits.class_end_s / 60))
    st.caption(" · ".join(said))


def _button(label: str, name: str, icon: str, act: object, *given: object, primary: bool = False) -> None:
    st.button(
        label, key=f"class_{name}", icon=icon, on_click=act, args=given,  # type: ignore[arg-type]
        type="primary" if primary else "secondary",
    )  # fmt: skip


# ---- callbacks


@room.for_teachers
def _begin() -> None:
    room.room().open()


@room.for_teachers
def _end() -> None:
    room.room().end()


@room.for_teachers
def _send() -> None:
    in_class.send(st.session_state[_LINK])
    if room.SAID not in st.session_state:
        st.session_state[_LINK] = ""


@room.for_teachers
def _freeze(is_frozen: bool) -> None:
    room.room().freeze(is_frozen)
    everybody.rest_training(is_frozen, state.settings().class_release_s)
