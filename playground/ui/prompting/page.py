"""Prompting: a task told in the prompt, and what the model makes of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.ui import unread_language
from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.prompting import builder, chat, library, shots, tasks, thinking, which
from playground.ui.prompting.asking import Answer
from playground.ui.prompting.prompt import Prompt
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The prompt, the answer to it, and one panel about both."""
    with st.container():
        prompt = builder.read(context)
        unread_language.say(prompt.literal(prompt.demos, prompt.query.text), context.model, {"generate"})
        answer, write_on = builder.draw(prompt)
    go_on = _panel(prompt, answer)

    def later() -> None:
        for one in (write_on, go_on):
            if one is not None:
                one()

    return tasks.make(prompt, answer), later


def _panel(prompt: Prompt, answer: Answer | None) -> Later | None:
    panels = {
        "shots": Panel(_("How many examples"), partial(shots.panel, prompt)),
        "which": Panel(_("Which example"), partial(which.panel, prompt, answer)),
        "chat": Panel(_("Chat template"), partial(chat.panel, prompt.context)),
        "think": Panel(_("Step by step"), partial(thinking.panel, prompt.context)),
        "library": Panel(_("My prompts and data"), partial(library.panel, prompt)),
    }
    return pick("pro_panel", panels, _("Look closer")).draw()
