"""A poll with a question and options of the teacher's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.core.classroom.polls import Poll, check
from playground.core.files.encoding import readable_text
from playground.errors import PlaygroundError
from playground.ui import state
from playground.ui.choose import list_key
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _, sentence

QUESTION, OPTIONS, RIGHT = "poll_question", "poll_options", "poll_right"
_NONE = -1


def fill(question: str, options: Sequence[str], right: int | None) -> None:
    """Put a question of a lesson plan into the fields; for a callback."""
    st.session_state[QUESTION] = question
    st.session_state[OPTIONS] = "\n".join(options)
    st.session_state[RIGHT] = right


def prepare(_context: PageContext, open_button: Callable[[Poll], None]) -> Later | None:
    """Draw the fields; one sentence says what is missing.

    Args:
        open_button: Draws the button that opens a poll.
    """
    limits = state.settings()
    typed = st.text_input(
        _("Question"), key=QUESTION, max_chars=limits.max_poll_chars, persist_state="session"
    )
    lines = st.text_area(
        _("Options, one per line"), key=OPTIONS, height=150, persist_state="session",
        max_chars=limits.max_poll_options * limits.max_poll_option_chars,
    )  # fmt: skip
    options = tuple(filter(None, (" ".join(_clean(line).split()) for line in lines.splitlines())))
    poll = Poll("free", _clean(typed).strip(), options, right=_right(options))
    if not poll.text or not options:
        st.caption(_("Type a question and two options or more. They are shown as plain text."))
        return None
    try:
        check(poll, limits)
    except PlaygroundError as error:
        st.warning(sentence(error))
        return None
    open_button(poll)
    return None


def _right(options: Sequence[str]) -> int | None:
    """The right option, told only at the reveal."""
    names = {_NONE: _("none"), **dict(enumerate(options))}
    wanted = st.session_state.get(RIGHT)
    place = wanted if wanted in names else _NONE
    chosen = st.selectbox(
        _("Right option, told at the reveal"), tuple(names), list(names).index(place),
        format_func=names.__getitem__, key=list_key("poll_right_choice", names),
    )  # fmt: skip
    right = None if chosen == _NONE else int(chosen)
    st.session_state[RIGHT] = right
    return right


def _clean(text: str) -> str:
    return readable_text(text)[0]
