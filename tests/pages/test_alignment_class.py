"""Votes of a class on the page of preferences: pooled, compared, gone when the class ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from playground.core.classroom.polls import Poll
from playground.core.preferences.agreement import agreement
from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import mixed
from playground.ui import room
from playground.ui.alignment import pool
from playground.ui.hidden_answers import answers
from playground.ui.polls import polls
from tests.pages.conftest import OpenApp
from tests.pages.test_classroom import _own_class, joined, opened, press, signed_in

__all__ = ["_own_class"]  # a fixture
PAIRS = mixed(shipped_pairs("en"))


@pytest.fixture(autouse=True)
def _own_votes(_own_class: None) -> Iterator[None]:
    """Each class has votes of its own."""
    for one in (polls, answers, pool.of_class):
        one.cache_clear()
    yield
    for one in (polls, answers, pool.of_class):
        one.cache_clear()


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption))


def of_class(app: AppTest) -> AppTest:
    app.segmented_control(key="al_whose_choice").set_value("class").run()
    return opened(app)


def test_the_votes_of_students_are_pooled_and_their_agreement_is_told(open_app: OpenApp) -> None:
    room.room().open()
    first, second = (joined(open_app, name, "alignment") for name in ("Mina", "Jun"))
    for app, choices in ((first, "first first second"), (second, "first second second")):
        for better in choices.split():
            press(app, f"al_vote_{better}")
    votes = pool.of_class().all()
    assert [one.voter for one in votes] == ["Mina"] * 3 + ["Jun"] * 3
    found = agreement(votes)
    words = said(of_class(first.run()))
    told = f"On 3 pairs that several voted on, two of them say the same with probability {found.share:.0%}"
    assert told.replace("%", " %") in words
    assert f"alpha is {found.alpha:.2f}" in words
    assert "6 votes" in words
    room.room().end()
    assert pool.of_class().all() == ()
    assert "3 votes" in said(opened(first.run())), "one's own stay"


def test_a_teacher_sees_them_and_closed_polls_students_only_revealed_ones(open_app: OpenApp) -> None:
    teacher = press(signed_in(open_app), "class_begin")
    student = joined(open_app, "Mina", "alignment")
    pair = PAIRS[0]
    number = polls().open(Poll("better", pair.prompt, (pair.chosen, pair.rejected)))
    polls().vote(number, student.session_state["class_member"], "Mina", 0)
    polls().close()
    assert "1 vote" not in said(of_class(student.run()))
    teacher.switch_page("../pages/alignment.py")
    assert "1 vote" in said(of_class(opened(teacher.run())))
    polls().reveal()
    assert "1 vote" in said(opened(student.run()))


def test_without_a_class_there_is_no_choice(open_app: OpenApp) -> None:
    app = opened(open_app("alignment", lang="en", al_whose="class"))
    assert "al_whose_choice" not in {one.key for one in app.segmented_control}
    press(app, "al_vote_first")
    assert "1 vote" in said(app)
