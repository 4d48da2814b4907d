"""The page Classroom: the class by page, and a teacher who leads."""

from __future__ import annotations

import streamlit as st

from playground.core.classroom.room import RoomState
from playground.ui import everybody, in_class, room
from playground.ui.classroom import keeping, leading, notebooks, plans, poll, signing, who
from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """The map of the class; for a teacher its controls above, for the others the way in below."""
    now = room.room().state()
    later = _teacher(context, now) if room.is_teacher() else _visitor(context, now)
    return _tasks(), later


def _teacher(context: PageContext, now: RoomState) -> Later | None:
    room.room().teacher_is_here()
    leading.controls(now)
    keeping.control()
    if not in_class.is_served():
        st.warning(_("Students' pages hear of nothing here: start the server with `llm-playground run`."))
    panels: dict[str, Panel[[PageContext]]] = {
        "room": Panel(_("Who is where"), _who),
        "poll": Panel(_("Poll"), poll.panel),
        "plans": Panel(_("Lesson plans"), plans.panel),
        "notebooks": Panel(_("Notebooks"), notebooks.panel),
    }
    return pick("class_panel", panels, _("Panels")).draw(context)


def _who(_context: PageContext) -> Later | None:
    who.picture()
    return None


def _visitor(context: PageContext, now: RoomState) -> Later | None:
    who.picture()
    in_class.join_box(context.name)
    signing.sign_in()
    notebooks.box()
    return None


def _tasks() -> list[Task]:
    stats = everybody.stats()
    sizes = {"models": stats.model_bytes, "answers": stats.cache_bytes, "adapters": stats.adapter_bytes}
    largest = max(sizes, key=sizes.__getitem__)
    names = {
        "models": _("the models"),
        "answers": _("the answers that are kept"),
        "adapters": _("the adapters"),
    }
    return [
        Task("tabs", "number", everybody.n_sessions),
        Task("memory", "choice", lambda: largest, names),
        Task("written", "goal", lambda: stats.n_decoded_tokens >= 20),
    ]
