"""The page from top to bottom: data, settings, start, the picture, what can be looked at more closely."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.errors import EmptyText, PlaygroundError
from playground.ui import unread_language
from playground.ui.choose import choose
from playground.ui.finetuning import changed, comparing, controls, data, live, mine, questions, sets, weights
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.finetuning.sets import TrainingSet
from playground.ui.state import PageContext
from playground.ui.text import _, sentence


def draw(context: PageContext) -> tuple[TrainingSettings | None, Callable[[], None] | None]:
    """Draw everything above the tasks.

    Returns:
        What the widgets say, and what takes longer, to be called once the page is drawn.
    """
    with st.container():
        found = _data(context)
        if found is not None:
            said = [
                text for row in found.rows for text in (row.text, *(text for _role, text in row.messages))
            ]
            with st.container(key="below_picture_fin_language"):
                unread_language.say(" ".join(said), context.model, {"generate"})
        chosen = _settings(found) if found is not None else None
        live.show_start_error()
        live.panel(context)
        if found is not None and live.shown(context) is None:
            data.row_picture(context, found)
    return chosen, _panels(context, found, chosen)


def _data(context: PageContext) -> TrainingSet | None:
    with st.container(horizontal=True, vertical_alignment="center"):
        set_id = choose("fin_set", sets.names(), _("Data"))
        st.pills(
            _("Preset"), tuple(controls.PRESETS), key="fin_preset", label_visibility="collapsed",
            format_func=lambda preset: _(controls.PRESET_NAMES[preset]), on_change=controls.take_preset,
        )  # fmt: skip
    if set_id == sets.OWN:
        data.uploader()
    found = sets.chosen(context, set_id)
    try:
        if found is not None and not (found.texts and found.every_text):
            raise EmptyText
    except PlaygroundError as error:  # a chat template that refuses these roles, or nothing to learn
        st.error(sentence(error))
        return None
    return found


def _settings(found: TrainingSet) -> TrainingSettings:
    sliders = st.container(key="below_picture_fin")
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.container(width="content")
        chosen = controls.draw(found, sliders)
        cost = st.container(width="stretch")
    with start:
        live.start_button(found, chosen)
    cost.caption(controls.cost(found, chosen, live.seconds_a_token(found.context)))
    return chosen


def _panels(
    context: PageContext, found: TrainingSet | None, chosen: TrainingSettings | None
) -> Callable[[], None] | None:
    names = {
        "data": _("The data"),
        "weights": _("What is trained"),
        "compare": _("Before and after"),
        "changed": _("What changed"),
        "questions": _("Memorised?"),
        "mine": _("My adapters"),
    }
    match choose("fin_panel", names, _("Look closer")):
        case "data":
            data.panel(found)
            if found is not None and live.shown(context) is not None:
                data.row_picture(context, found)
        case "weights" if found is not None and chosen is not None:
            weights.panel(found, chosen)
        case "compare":
            return comparing.panel(context)
        case "changed":
            changed.panel(context)
        case "questions":
            return questions.panel(context, found)
        case "mine":
            mine.panel(context)
    return None
