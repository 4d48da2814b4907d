"""Lesson plans: the steps of a page's plan, one after another, each with its view, its poll and its time."""

from __future__ import annotations

import time
from functools import lru_cache

import streamlit as st

from playground import navigation
from playground.core.classroom.plans import LENGTHS, Step, Words, plan, steps_of, words_of
from playground.paths import site_root
from playground.ui import in_class, room
from playground.ui.choose import choose, choose_from_list
from playground.ui.classroom import poll, poll_free
from playground.ui.components.open_view import open_view
from playground.ui.panels import Later
from playground.ui.state import PageContext, language, outlives_reload
from playground.ui.text import _, lesson, ngettext, plain
from playground.ui.translations import localized
from playground.ui.url import put

_AT = "plan_at"  # (page, length) -> place of the step, and when it began
EVERY_S = 5.0  # until the time that has run is drawn anew
PANEL = "class_panel"
outlives_reload(_AT)


def panel(context: PageContext) -> Later | None:
    """Draw the chosen plan: its step, large, and the list of all."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pages = {one.name: lesson(one.name).title for one in navigation.PAGES if one.name != "classroom"}
        page = choose_from_list("class_plan", pages, _("Plan for the page"))
        lengths = {str(length): _("{minutes} minutes").format(minutes=length) for length in LENGTHS}
        length = int(choose("class_plan_length", lengths, _("Length")))
    steps = plan(steps_of(page, _file(page)), length)
    words = _words(context.language, page)
    place, began = _where(page, length)
    place = min(place, len(steps) - 1)
    with st.container(border=True, key="plan_step"):
        _step(steps[place], place, len(steps), words, began)
        _moves(page, length, place, steps)
    _list(steps, words, place)
    return None


# ---- the step


def _step(chosen: tuple[Step, int], place: int, n: int, words: dict[str, Words], began: float) -> None:
    step, minutes = chosen
    said = words[step.id]
    told = _("Step {place} of {n} · {page} · {minutes} min")
    title = plain(lesson(step.view.page).title)
    st.markdown(f"## {told.format(place=place + 1, n=n, page=title, minutes=minutes)}")
    st.fragment(_time_running, run_every=EVERY_S if began else None)(began, minutes)
    st.markdown(said.do)
    st.markdown(f":material/forum: **{_('Ask')}:** {said.question.text}")
    for option in said.question.options:
        st.markdown(f"- {option}")
    if said.expect:
        st.markdown(f":material/lightbulb: **{_('Expect')}:** {said.expect}")
    if text := dict(step.view.params).get("text"):
        st.caption(_("Sentence: {text}").format(text=plain(text)))


def _time_running(began: float, minutes: int) -> None:
    """The minutes that have run of those planned."""
    if not began:
        st.caption(_("The time runs once you begin the plan or send a step."))
        return
    ran = (time.time() - began) / 60
    told = _("{ran:.0f} of {minutes} min")
    words = told.format(ran=int(ran), minutes=minutes)
    if ran > minutes:
        words += " · " + _("time for the next step")
    st.progress(min(1.0, ran / minutes), words)


def _moves(page: str, length: int, place: int, steps: list[tuple[Step, int]]) -> None:
    step, _minutes = steps[place]
    question = _words_now(page)[step.id].question
    is_open = room.room().state().is_open
    with st.container(horizontal=True, key="plan_moves"):
        st.button(
            _("Send this step to the class"), key="plan_send", type="primary", icon=":material/send:",
            on_click=_send, args=(step, page, length, place), disabled=not is_open,
        )  # fmt: skip
        open_view(label=_("Open it here"), link=in_class.base_path() + step.view.link, key="plan_open")
        if step.poll or question.options:
            st.button(
                _("Prepare its poll"), key="plan_poll", icon=":material/how_to_vote:", on_click=_prepare,
                args=(step, page),
            )  # fmt: skip
        st.button(
            _("Back"), key="plan_back", icon=":material/chevron_left:", on_click=_go,
            args=(page, length, place - 1), disabled=place == 0,
        )  # fmt: skip
        st.button(
            _("Next"), key="plan_next", icon=":material/chevron_right:", on_click=_go,
            args=(page, length, place + 1), disabled=place == len(steps) - 1,
        )  # fmt: skip
    if not is_open:
        st.caption(_("There is no class now: you can look at the plan and open its pages, but send nothing."))


def _list(steps: list[tuple[Step, int]], words: dict[str, Words], place: int) -> None:
    rows, begins = [], 0
    for number, (step, minutes) in enumerate(steps):
        mark = ":material/arrow_right: " if number == place else ""
        title, do = plain(lesson(step.view.page).title), words[step.id].do
        rows.append(f"| {mark}{number + 1} | {begins}–{begins + minutes} | {title} | {do} |")
        begins += minutes
    head = f"| {_('Step')} | {_('Minutes')} | {_('Page')} | {_('What to do')} |\n|---|---|---|---|\n"
    told = ngettext("{n} step", "{n} steps", len(steps)).format(n=len(steps))
    with st.expander(_("The whole plan: {steps}").format(steps=told), key="plan_all"):
        st.markdown(head + "\n".join(rows))


# ---- state and callbacks


def _where(page: str, length: int) -> tuple[int, float]:
    known: dict[tuple[str, int], tuple[int, float]] = st.session_state.get(_AT, {})
    return known.get((page, length), (0, 0.0))


def _go(page: str, length: int, place: int) -> None:
    """Go to a step; its time begins."""
    st.session_state[_AT] = {(page, length): (place, time.time())}


@room.for_teachers
def _send(step: Step, page: str, length: int, place: int) -> None:
    room.room().push(step.view)
    at, began = _where(page, length)
    if at != place or not began:
        _go(page, length, place)


@room.for_teachers
def _prepare(step: Step, page: str) -> None:
    """Open the panel of polls, filled with this step's."""
    question = _words_now(page)[step.id].question
    if question.options:
        poll_free.fill(question.text, question.options, question.right)
    put(poll.KIND, "free" if question.options else str(step.poll))
    put(PANEL, "poll")
    if text := dict(step.view.params).get("text"):
        st.session_state["text"] = text


def _words_now(page: str) -> dict[str, Words]:
    return _words(language(), page)


@lru_cache
def _file(page: str) -> str:
    return (site_root() / "assets" / "plans" / f"{page}.toml").read_text("utf-8")


@lru_cache
def _words(language: str, page: str) -> dict[str, Words]:
    return words_of(localized(language, "plans", f"{page}.md").read_text("utf-8"))
