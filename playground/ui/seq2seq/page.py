"""From RNN to attention: networks that turn one sequence into another, and what one vector forgets."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.core.pairs.sets import OWN
from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.seq2seq import choosing, cost, gradient, lengths, own, pictures, tasks, training, writing
from playground.ui.seq2seq.choosing import Choice
from playground.ui.seq2seq.pictures import Reading
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The network over the reader's source, exact match by length, and one panel about training."""
    choice = choosing.choose(context)
    if choice.data == OWN:
        own.uploader()
    seen = pictures.reading(context, choice)
    if seen is not None:
        pictures.draw(context, seen)
    measures = lengths.picture(context)
    later = _panel(context, choice, seen)

    def rest() -> None:
        for each in (measures, later):
            if each is not None:
                each()

    return tasks.make(context, seen), rest if measures or later else None


def _panel(context: PageContext, choice: Choice, seen: Reading | None) -> Later | None:
    panels = {
        "train": Panel(_("Train it yourself"), partial(training.panel, context, choice)),
        "gradient": Panel(_("Vanishing gradient"), partial(gradient.panel, context, choice)),
        "writing": Panel(_("Forced or free"), partial(writing.panel, context, choice, seen)),
        "cost": Panel(_("What a step costs"), partial(cost.panel, context)),
    }
    st.markdown(f"## {_('Look closer')}")
    return pick("seq_panel", panels, _("Look closer")).draw()
