"""Lesson plans on the page of the class, and large type: for a teacher, with and without a class."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.core.classroom.views import View
from playground.ui import room
from playground.ui.polls import polls
from tests.pages.conftest import OpenApp
from tests.pages.test_class_polls import _own_polls, texts
from tests.pages.test_classroom import _own_class, opened, press, signed_in

__all__ = ["_own_class", "_own_polls"]  # fixtures


def planning(app: AppTest, page: str, length: str) -> AppTest:
    for key, value in (("class_panel", "plans"), ("class_plan", page), ("class_plan_length", length)):
        app.session_state[key] = app.session_state[f"{key}_ours"] = value
    return opened(app.run())


def test_a_teacher_prepares_without_a_class_and_sends_nothing(open_app: OpenApp) -> None:
    app = planning(signed_in(open_app), "tokenization", "45")
    assert "Step 1 of 7" in texts(app)
    assert app.button(key="plan_send").disabled
    press(app, "plan_next")
    assert "Step 2 of 7" in texts(app)
    assert "r50k" in texts(app), "the options of its poll"


def test_each_step_is_sent_and_its_poll_is_prepared(open_app: OpenApp) -> None:
    app = planning(press(signed_in(open_app), "class_begin"), "tokenization", "45")
    press(press(app, "plan_next"), "plan_send")
    assert room.room().state().pushed == View("tokenization", (("text", "나는 오늘 학교에 갔다"),))
    press(app, "plan_poll")
    press(app, "poll_open")
    asked = polls().current()
    assert asked is not None
    assert (asked.poll.kind, asked.poll.right, len(asked.poll.options)) == ("free", 0, 3)
    planning(press(app, "poll_take_away"), "home", "5")
    press(app, "plan_poll")
    press(app, "poll_open")
    asked = polls().current()
    assert asked is not None
    assert (asked.poll.kind, asked.poll.text) == ("next", "The capital of England is")


def test_large_type_stays_on_every_page_of_the_teacher_alone(open_app: OpenApp) -> None:
    app = signed_in(open_app)
    opened(app.toggle(key="large_type").set_value(True).run())
    app.switch_page("../pages/tokenization.py")
    opened(app.run())
    assert app.toggle(key="large_type").value is True
    assert any("zoom" in str(one.proto) for one in app.get("html"))
    other = opened(open_app("tokenization", lang="en"))
    assert "large_type" not in {one.key for one in other.toggle}
