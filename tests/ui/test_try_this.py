"""Try this: answers are compared with the model's values, and progress stays in the session."""

from __future__ import annotations

import math

import pytest
from streamlit.testing.v1 import AppTest

from playground.ui.text import parse_lesson
from playground.ui.try_this import Task

LESSON = parse_lesson(
    "# T\n## question\nq\n## lead\nl\n## lesson\nb\n"
    "## task top\nHow probable?\n> It is the tallest bar.\n"
    "## task count\nHow many tokens?\n> Count the chips.\n"
    "## task first\nWhich one?\n> It has the largest logit.\n"
    "## take-away\nt\n"
)
VALUES: dict[str, float | str] = {"top": 0.589, "count": 5, "first": " London*"}
TASKS = (
    Task("top", "number", lambda: VALUES["top"], tolerance=0.005),
    Task("count", "number", lambda: VALUES["count"]),
    Task("first", "choice", lambda: VALUES["first"], options=[" Paris", " London*"]),
)


def script(lesson: object, tasks: object) -> None:  # runs on its own: its annotations too
    from playground.ui.try_this import show_tasks

    show_tasks("page", lesson, tasks)


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script, args=(LESSON, TASKS), default_timeout=180).run()


def heading(app: AppTest) -> str:
    return app.markdown[0].value


def answer(app: AppTest, task: str, value: float | str) -> AppTest:
    widget = app.radio if isinstance(value, str) else app.number_input
    return widget(key=f"task_page_{task}").set_value(value).run()


def test_tasks_wait_for_an_answer(app: AppTest) -> None:
    assert not app.exception
    assert "0 of 3 solved" in heading(app)
    assert not app.success
    assert not app.warning


@pytest.mark.parametrize(
    ("task", "value"), [("top", 0.59), ("top", 0.585), ("count", 5), ("first", " London*")]
)
def test_a_right_answer_teaches_and_counts(task: str, value: float | str, app: AppTest) -> None:
    answer(app, task, value)
    assert LESSON.explanations[task] in app.success[0].value
    assert "1 of 3 solved" in heading(app)


def test_without_a_value_of_the_model_no_answer_is_right_or_wrong(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VALUES, "count", math.nan)
    answer(app, "count", -1)
    assert any("nothing to compare with" in one.value for one in app.caption)
    assert not app.success
    assert not app.warning


@pytest.mark.parametrize(
    ("task", "value", "hint"),
    [
        ("top", 0.5, "larger"),
        ("top", 0.6, "smaller"),
        ("count", 4, "larger"),
        ("count", 6, "smaller"),
        ("first", " Paris", "Look at the picture"),
    ],
)
def test_a_wrong_answer_gets_a_hint_without_the_value(
    task: str, value: float | str, hint: str, app: AppTest
) -> None:
    answer(app, task, value)
    assert hint in app.warning[0].value
    assert str(VALUES[task]) not in app.warning[0].value
    assert "0 of 3 solved" in heading(app)


def test_progress_stays_when_the_text_and_with_it_the_answer_changes(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(app, "count", 5)
    monkeypatch.setitem(VALUES, "count", 9)
    app.run()
    assert any("larger" in one.value for one in app.caption)
    assert "1 of 3 solved" in heading(app)


def test_options_are_shown_as_they_are_not_as_markdown(app: AppTest) -> None:
    assert app.radio(key="task_page_first").options == [" Paris", " London\\*"]


def test_a_goal_is_seen_without_an_answer() -> None:
    reached = {"now": False}
    goal = Task("top", "goal", lambda: reached["now"])
    app = AppTest.from_function(script, args=(LESSON, (goal,)), default_timeout=180).run()
    assert "0 of 1 solved" in heading(app)
    reached["now"] = True
    app.run()
    assert "1 of 1 solved" in heading(app)
    assert LESSON.explanations["top"] in app.success[0].value


@pytest.mark.parametrize(
    ("task", "right", "wrong", "told"),
    [
        ("top", 0.589, 0.5, "larger"),
        ("count", 5, 6, "smaller"),
        ("first", " London*", " Paris", "another answer"),
    ],
)
def test_nothing_says_not_yet_beside_a_solved_task(
    task: str, right: float | str, wrong: float | str, told: str, app: AppTest
) -> None:
    answer(app, task, right)
    answer(app, task, wrong)
    assert "1 of 3 solved" in heading(app)
    assert not app.warning
    assert not app.success
    (said,) = [one.value for one in app.caption if "Solved before" in one.value]
    assert told in said
