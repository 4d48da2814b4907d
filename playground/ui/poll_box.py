"""The poll of the class on every page of a student who has joined: one tap answers."""

from __future__ import annotations

import streamlit as st

from playground.core.classroom.polls import Ballot
from playground.errors import PlaygroundError
from playground.ui import room
from playground.ui.polls import one_line, polls, question, reading
from playground.ui.text import _, plain, sentence

_REFUSED = "poll_refused"


def draw() -> None:
    """Draw the poll that is open, or its result; nothing without one."""
    ballot = polls().ballot(room.member_id())
    if ballot is None or room.member() is None:
        return
    with st.container(border=True, key="poll_box"):
        st.markdown(f":material/how_to_vote: {question(ballot.poll)}")
        if ballot.tally is None:
            _options(ballot)
        else:
            _result(ballot)
        if (error := st.session_state.pop(_REFUSED, None)) is not None:
            st.warning(sentence(error))


def _options(ballot: Ballot) -> None:
    for place, option in enumerate(ballot.poll.options):
        st.button(
            plain(one_line(option)), key=f"poll_{ballot.number}_{place}", width="stretch",
            type="primary" if place == ballot.mine else "secondary", disabled=ballot.stage != "open",
            icon=":material/check:" if place == ballot.mine else None, on_click=_vote,
            args=(ballot.number, place),
        )  # fmt: skip
    if ballot.stage != "open":
        st.caption(_("The vote is closed. Your teacher will show the result."))
    elif ballot.mine is None:
        st.caption(_("Tap an answer. Your teacher sees your nickname and what you chose."))
    else:
        st.caption(_("Your vote counts. Tap another answer to change it."))


def _result(ballot: Ballot) -> None:
    assert ballot.tally is not None
    for place, (option, votes) in enumerate(zip(ballot.poll.options, ballot.tally.counts, strict=True)):
        marks = [f"{votes}"]
        if ballot.poll.measures:
            told = _("model {share:.1%}") if ballot.poll.kind == "next" else _("model {bits:.3f} bits")
            marks.append(told.format(share=ballot.poll.measures[place], bits=ballot.poll.measures[place]))
        if place == ballot.mine:
            marks.append(_("your vote"))
        share = votes / ballot.tally.n if ballot.tally.n else 0.0
        st.progress(share, f"{plain(one_line(option))} · {' · '.join(marks)}")
    st.markdown(reading(ballot.poll, ballot.tally))


def _vote(number: int, place: int) -> None:
    """Count a tap; a callback."""
    member = room.member()
    if member is None:
        return
    try:
        polls().vote(number, room.member_id(), member.name, place)
    except PlaygroundError as error:
        st.session_state[_REFUSED] = error
