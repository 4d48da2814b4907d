"""Every page in a class: a place to join, a strip for who has joined, the way to follow."""

from __future__ import annotations

import streamlit as st

from playground import navigation
from playground.core.classroom.room import Member, RoomState
from playground.core.classroom.views import view_of
from playground.errors import PlaygroundError, TrainingFrozen
from playground.ui import hidden_answers, poll_box, room
from playground.ui.components.class_send import class_send
from playground.ui.components.class_watch import class_news, class_watch
from playground.ui.polls import polls
from playground.ui.state import outlives_reload
from playground.ui.text import _, lesson, plain, sentence

_SINCE = "class_since"  # number of views that had been sent when this student joined
_NAME = "class_nickname"
_HIDDEN = "class_answers_hidden"  # when this page was drawn
_NAME_ERROR = "class_name_error"
outlives_reload(_SINCE)
_served_at: list[str] = []  # the address that tells the news, once there is a server of ours


def serve_at(address: str) -> None:
    """Let students' pages ask for the news of the class at this absolute path; for the server."""
    _served_at[:] = [address]


def is_served() -> bool:
    """True if students' pages can hear of news by themselves."""
    return bool(_served_at)


def news(member: str, knows: int) -> dict[str, int | str]:
    """The news for a student's page that asks: version of the class, number of views, the last one's link.

    Args:
        member: The student's secret. The student is seen; a stranger learns nothing.
        knows: Number of views that the page knows of.
    """
    room.room().seen(member)
    state = room.room().state()
    if room.room().member(member) is None:
        return {"version": 0, "pushes": 0}
    told: dict[str, int | str] = {"version": state.version, "pushes": state.n_pushes}
    if state.pushed is not None and state.n_pushes > knows:
        told["link"] = state.pushed.link
    return told


def strip(page: str) -> None:
    """Draw the strip above the title, for a student who has joined, or a teacher's button.

    Args:
        page: Name of the page that is drawn next.
    """
    member, state = room.member(), room.room().state()
    if member is not None:
        room.room().seen(room.member_id(), page)
        st.session_state[_HIDDEN] = hidden_answers.are_hidden()
        _strip()
        if _served_at:
            class_watch(
                address=_served_at[0], base=base_path(), titles=_titles(), member=room.member_id(),
                number=state.number, version=state.version, pushes=state.n_pushes,
                since=st.session_state.get(_SINCE, 0), follows=member.follows, key="class_watch",
            )  # fmt: skip
    if state.is_open and room.is_teacher() and page != "classroom":
        class_send(label=_("Send this view to the class"), sent=_("Sent"), key="class_send", on_send=send)


def base_path() -> str:
    """Path below which the playground is shown, "" or such as "/llm"."""
    given = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{given}" if given else ""


@room.for_teachers
def send(link: str) -> None:
    """Send all who follow to the view of a link; a callback."""
    room.room().push(view_of(link, base_path()))


@st.fragment(key="class_strip")
def _strip() -> None:
    """The strip; runs alone when the class has news."""
    member, state = room.member(), room.room().state()
    if member is None:  # the class has ended
        st.rerun()
    class_news(version=state.version, key="class_news")
    with st.container(horizontal=True, vertical_alignment="center", key="class_line"):
        st.markdown(_told(state, member), width="content")
        label = _("Stop following") if member.follows else _("Follow again")
        st.button(label, key="class_follow", type="tertiary", on_click=_follow, args=(not member.follows,))
    poll_box.draw()
    if st.session_state[_HIDDEN] != hidden_answers.are_hidden():
        st.rerun()  # the tasks of the page


def _told(state: RoomState, member: Member) -> str:
    words = [f":material/school: **{plain(member.name)}**"]
    words.append(_("You follow your teacher.") if member.follows else _("You do not follow your teacher."))
    if state.is_frozen:
        words.append(sentence(TrainingFrozen()))
    return " · ".join(words)


def _titles() -> dict[str, str]:
    return {"" if page == navigation.FIRST else page: lesson(page).title for page in navigation.BY_NAME}


def _follow(follows: bool) -> None:
    room.room().follow(room.member_id(), follows)
    st.rerun()  # the whole page: what asks for news stands outside of this fragment


# ---- joining


def join_box(page: str) -> None:
    """Draw the field for a nickname while there is a class, or a way to leave it.

    Args:
        page: Name of the page that the student is on.
    """
    member, state = room.member(), room.room().state()
    if member is not None:
        st.button(_("Leave the class"), key="class_leave", width="stretch", on_click=_leave)
    elif state.is_open and not room.is_teacher():
        st.text_input(
            _("Join the class with a nickname"), key=_NAME, max_chars=40, on_change=_join, args=(page,),
            help=_("Your teacher then sees it, and the page you are on. Nothing is kept after the class."),
        )  # fmt: skip
        if (error := st.session_state.get(_NAME_ERROR)) is not None:
            st.error(sentence(error))


def _join(page: str) -> None:
    st.session_state[_NAME_ERROR] = None
    try:
        room.set_member(room.room().join(st.session_state[_NAME], page))
    except PlaygroundError as error:
        st.session_state[_NAME_ERROR] = error
        return
    st.session_state[_NAME] = ""
    st.session_state[_SINCE] = room.room().state().n_pushes


def _leave() -> None:
    polls().forget(room.member_id())
    room.room().leave(room.member_id())
    room.set_member("")
