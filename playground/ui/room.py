"""The class of this process, and who of it this session is: teacher, student with a nickname, or neither."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import ParamSpec

import streamlit as st

from playground.core.classroom.room import Limits, Member, Room
from playground.core.classroom.teachers import Teachers
from playground.errors import NotTeacher, PlaygroundError
from playground.ui import everybody
from playground.ui.state import outlives_reload, settings
from playground.ui.text import sentence

Given = ParamSpec("Given")

_MEMBER, _TEACHER = "class_member", "class_teacher"  # secrets, of no widget
SAID = "class_said"  # a sentence for the next run
outlives_reload(_MEMBER, _TEACHER)
_password: list[str] = []  # once the server has handed it over


def set_teacher_password(password: str) -> None:
    """Take the teacher's password, "" for none; for the server, which has taken it out of the environment."""
    _password[:] = [password]


@lru_cache
def room() -> Room:
    """The one class of this process."""
    limits = settings()
    made = Room(Limits(limits.max_class_members, limits.class_release_s, limits.class_end_s))
    made.when_it_ends(partial(everybody.rest_training, False, limits.class_release_s))
    return made


@lru_cache
def teachers() -> Teachers:
    """The sessions of this process that are signed in as teacher."""
    if _password:
        return Teachers(_password[0])
    secret = settings().teacher_password
    return Teachers(secret.get_secret_value() if secret else "")


# ---- this session


def is_teacher() -> bool:
    """True if this session is signed in as teacher."""
    return teachers().is_teacher(st.session_state.get(_TEACHER, ""))


def set_teacher(token: str) -> None:
    """Be the teacher with this token from now on, "" for none."""
    st.session_state[_TEACHER] = token


def teacher_token() -> str:
    """This session's token as teacher, "" without."""
    return str(st.session_state.get(_TEACHER, ""))


def member_id() -> str:
    """This session's secret as a student, "" without."""
    return str(st.session_state.get(_MEMBER, ""))


def set_member(secret: str) -> None:
    """Be the student with this secret from now on, "" for none."""
    st.session_state[_MEMBER] = secret


def member() -> Member | None:
    """This session as a student who has joined; None where it has not, or the class is over."""
    return room().member(member_id())


def for_teachers(act: Callable[Given, None]) -> Callable[Given, None]:
    """The same callback, that checks on the server whether this session is a teacher's, each time.

    An error of ours becomes a sentence under `SAID`, for the next run to say: a callback has no place.
    """

    @wraps(act)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> None:
        try:
            if not is_teacher():
                raise NotTeacher
            act(*args, **kwargs)
        except PlaygroundError as error:
            st.session_state[SAID] = sentence(error)

    return checked
