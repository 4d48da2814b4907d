"""Signing in as teacher, and out."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.ui import room, state
from playground.ui.text import _, sentence

_GIVEN = "class_given"
_REFUSED = "class_refused"


def sign_in() -> None:
    """Draw the field for the teacher's password, or how to switch it on."""
    with st.expander(_("For teachers"), icon=":material/key:"):
        if not room.teachers().has_password:
            st.markdown(_how_to_switch_on())
            return
        st.markdown(
            _("With the teacher's password you begin a class, see who is where, and lead the others.")
        )
        with st.form("class_sign_in", clear_on_submit=True, border=False):
            st.text_input(
                _("Teacher's password"), type="password", key=_GIVEN, max_chars=200,
                autocomplete="current-password",
            )  # fmt: skip
            st.form_submit_button(_("Sign in"), on_click=_sign_in)
        if (error := st.session_state.get(_REFUSED)) is not None:
            st.error(sentence(error))


def _how_to_switch_on() -> str:
    return _(
        "This server has no teacher's password, so nobody can lead a class. To switch it on, start it with "
        "`--teacher-password-file FILE`, or set `PLAYGROUND_TEACHER_PASSWORD`."
    )


def _sign_in() -> None:
    """Compare the password; it stays nowhere, whatever comes of it."""
    given = str(st.session_state.get(_GIVEN, ""))
    st.session_state[_GIVEN] = ""
    st.session_state[_REFUSED] = None
    try:
        token = room.teachers().sign_in(given, state.session_id(), st.context.ip_address or "")
    except PlaygroundError as error:
        st.session_state[_REFUSED] = error
        return
    room.set_teacher(token)


def sign_out() -> None:
    """Be no teacher any more; a callback. The class goes on with other teachers, or ends after a while."""
    room.teachers().sign_out(room.teacher_token())
    room.set_teacher("")
