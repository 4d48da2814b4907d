"""Fine-tuning: a model trained in front of the class."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.errors import EmptyText, PlaygroundError
from playground.ui import unread_language
from playground.ui.choose import choose
from playground.ui.finetuning import (
    adapting,
    changed,
    comparing,
    controls,
    data,
    forgetting,
    live,
    mine,
    questions,
    sets,
    tasks,
    weights,
)
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.finetuning.sets import ReadSet
from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _, sentence


def draw(context: PageContext) -> Drawn:
    """Data, settings, the run, and one panel about them."""
    with st.container():
        found = _data(context)
        if found is not None:
            said = [
                text
                for row in found.data.rows
                for text in (row.text, *(text for _role, text in row.messages))
            ]
            with st.container(key="below_picture_fin_language"):
                unread_language.say(" ".join(said), context.model, {"generate"})
        chosen = _settings(context, found) if found is not None else None
        live.show_start_error()
        live.panel(context)
        if found is not None and live.shown(context) is None:
            data.row_picture(context, found)
    later = _panel(context, found, chosen)
    return tasks.make(context, chosen), later


def _data(context: PageContext) -> ReadSet | None:
    with st.container(horizontal=True, vertical_alignment="center"):
        set_id = choose("fin_set", sets.names(), _("Data"))
        st.pills(
            _("Preset"), tuple(controls.PRESETS), key="fin_preset", label_visibility="collapsed",
            format_func=lambda preset: _(controls.PRESET_NAMES[preset]), on_change=controls.take_preset,
        )  # fmt: skip
    if set_id == sets.OWN:
        data.uploader()
    try:
        found = sets.chosen(context, set_id)
        if found is not None and not (found.texts and found.every_text):
            raise EmptyText
    except PlaygroundError as error:  # a chat template that refuses these roles, or nothing to learn
        st.error(sentence(error))
        return None
    return found


def _settings(context: PageContext, found: ReadSet) -> TrainingSettings:
    sliders = st.container(key="below_picture_fin")
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.container(width="content")
        chosen = controls.draw(found, sliders)
        cost = st.container(width="stretch")
    with start:
        live.start_button(context, found, chosen)
    cost.caption(controls.cost(found, context.model, chosen, live.seconds_a_token(context)))
    return chosen


def _panel(context: PageContext, found: ReadSet | None, chosen: TrainingSettings | None) -> Later | None:
    def the_data() -> None:
        data.panel(found)
        if found is not None and live.shown(context) is not None:
            data.row_picture(context, found)

    def trained() -> None:
        if found is not None and chosen is not None:
            weights.panel(context, found, chosen)

    panels = {
        "data": Panel(_("The data"), the_data),
        "weights": Panel(_("What is trained"), trained),
        "ways": Panel(_("Other ways"), partial(adapting.panel, context)),
        "forgetting": Panel(_("Against forgetting"), partial(forgetting.panel, context, found, chosen)),
        "compare": Panel(_("Before and after"), partial(comparing.panel, context)),
        "changed": Panel(_("What changed"), partial(changed.panel, context)),
        "questions": Panel(_("Memorised?"), partial(questions.panel, context, found)),
        "mine": Panel(_("My adapters"), partial(mine.panel, context)),
    }
    return pick("fin_panel", panels, _("Look closer")).draw()
