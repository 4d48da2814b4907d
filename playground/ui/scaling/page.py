"""Scaling laws: tiny models of our own, the law through them, and how to spend a budget."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.scaling import budget, known, live, measured, own_runs, tasks
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """Loss against parameters, data or compute, then one panel: a budget, one more run, known models."""
    live.collect(context)
    choice = own_runs.choose_them()
    own_runs.picture(context, choice)
    measuring = measured.wanted(context) if choice.has_model else None
    later = _panel(context)

    def rest() -> None:
        for each in (measuring, later):
            if each is not None:
                each()

    return tasks.make(), rest if measuring or later else None


def _panel(context: PageContext) -> Later | None:
    panels = {
        "budget": Panel(_("Spend a budget"), partial(budget.panel, context)),
        "live": Panel(_("Train one more"), partial(live.panel, context)),
        "known": Panel(_("Known models"), partial(known.panel, context)),
    }
    st.markdown(f"## {_('Look closer')}")
    return pick("sca_panel", panels, _("Look closer")).draw()
