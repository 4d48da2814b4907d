"""Try this: three tasks a page, checked against the model's real values; progress kept in the session."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.ui import hidden_answers
from playground.ui.choose import last_choice, list_key
from playground.ui.state import outlives_reload
from playground.ui.text import Lesson, _, plain

SOLVED = "solved_tasks"
outlives_reload(SOLVED)


@dataclass(frozen=True, slots=True)
class Task:
    """One task; what to do stands in the lesson under `## task <id>`.

    Attributes:
        id: Id of the task in the lesson.
        kind: The reader types a number, picks an option, or brings the page into a state (a goal).
        answer: Gives the model's real value, for what is on the screen now: a number, the right option, or
            whether the goal is reached; nan while there is nothing to compare with.
        options: The choices, or choice -> how it is shown.
        tolerance: Largest distance of a number from the answer; 0 for whole numbers.
    """

    id: str
    kind: Literal["number", "choice", "goal"]
    answer: Callable[[], float | str]
    options: Sequence[str] | Mapping[str, str] = ()
    tolerance: float = 0.0


def show_tasks(page: str, lesson: Lesson, tasks: Sequence[Task]) -> None:
    """Draw the tasks of a page side by side, with feedback that teaches; nothing without any."""
    if not tasks:
        return
    heading = st.empty()  # filled last: it counts what the tasks below find out
    are_hidden = hidden_answers.are_hidden()
    for column, task in zip(st.columns(len(tasks), border=True), tasks, strict=True):
        with column:
            _show_task(page, lesson, task, are_hidden)
    if are_hidden:
        heading.markdown(f"## {_('Try this')} :gray[· {_('your teacher shows later what is right')}]")
        return
    n_solved = sum((page, task.id) in _solved() for task in tasks)
    progress = _("{done} of {total} solved").format(done=n_solved, total=len(tasks))
    heading.markdown(f"## {_('Try this')} :gray[· {progress}]")


def n_solved(page: str) -> int:
    """Tasks of a page that this session has solved."""
    return sum(name == page for name, _task in _solved())


def _show_task(page: str, lesson: Lesson, task: Task, are_hidden: bool) -> None:
    if task.kind == "goal":
        _show_goal(page, lesson, task, are_hidden)
        return
    key = f"task_{page}_{task.id}"
    given = _ask_number(key, lesson, task) if task.kind == "number" else _ask_choice(key, lesson, task)
    if are_hidden:
        st.caption(
            _("Your answer is kept.") if given is not None else _("Answer it now; you can change it later.")
        )
        return
    if given is None:
        was_solved = (page, task.id) in _solved()
        st.caption(_("Solved before") if was_solved else _("Answer to check it against the model."))
        return
    answer = task.answer()
    if isinstance(answer, float) and math.isnan(answer):
        st.caption(_("There is nothing to compare with yet."))
    elif _is_right(task, given, answer):
        _solved().add((page, task.id))
        st.success(f"**{_('Right.')}** {lesson.explanations[task.id]}")
    elif (page, task.id) in _solved():
        st.caption(_no_longer(given, answer))
    else:
        st.warning(_hint(given, answer))


def _show_goal(page: str, lesson: Lesson, task: Task, are_hidden: bool) -> None:
    st.markdown(f":small[{lesson.tasks[task.id]}]")  # the size of the other tasks' labels
    if are_hidden:
        st.caption(_("Bring the page into this state and leave it so."))
    elif task.answer():
        _solved().add((page, task.id))
        st.success(f"**{_('Reached.')}** {lesson.explanations[task.id]}")
    else:
        was_solved = (page, task.id) in _solved()
        st.caption(_("Solved before") if was_solved else _("Not reached yet: this box follows the picture."))


def _ask_number(key: str, lesson: Lesson, task: Task) -> float | None:
    whole = task.tolerance == 0
    return st.number_input(
        lesson.tasks[task.id],
        value=None,
        step=1 if whole else task.tolerance,
        format="%d" if whole else None,
        key=key,
        persist_state="session",
        placeholder=_("a number"),
    )


def _ask_choice(key: str, lesson: Lesson, task: Task) -> str | None:
    shown = (
        task.options
        if isinstance(task.options, Mapping)
        else dict(zip(task.options, task.options, strict=True))
    )
    before = last_choice(key)
    return st.radio(
        lesson.tasks[task.id],
        tuple(shown),
        index=list(shown).index(str(before)) if before in shown else None,
        format_func=lambda option: plain(shown[option]),
        key=list_key(key, shown),
        persist_state="session",
    )


def _is_right(task: Task, given: float | str, answer: float | str) -> bool:
    if isinstance(given, str) or isinstance(answer, str):
        return given == answer
    return abs(given - answer) <= task.tolerance


def _hint(given: float | str, answer: float | str) -> str:
    """A hint at the next step, without giving the answer away."""
    if isinstance(given, str) or isinstance(answer, str):
        return _("Not this one. Look at the picture again.")
    if given < answer:
        return _("Not yet: the model's value is larger.")
    return _("Not yet: the model's value is smaller.")


def _no_longer(given: float | str, answer: float | str) -> str:
    """A note that the task was solved for another sentence, model or picture."""
    if isinstance(given, str) or isinstance(answer, str):
        return _("Solved before. For what is on the screen now, another answer is right.")
    if given < answer:
        return _("Solved before. For what is on the screen now, the model's value is larger.")
    return _("Solved before. For what is on the screen now, the model's value is smaller.")


def _solved() -> set[tuple[str, str]]:
    solved: set[tuple[str, str]] = st.session_state.setdefault(SOLVED, set())
    return solved
