"""From zero: a tiny Transformer that has read one text and nothing else."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.pretraining import (
    choosing,
    cutoff,
    losses,
    milestones,
    objectives,
    shipped,
    tasks,
    training,
    transfer,
)
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """Losses of a run under the lines of count models, how it forms, and one panel."""
    seen = choosing.choose(context)
    losses.picture(seen)
    milestones.picture(seen)
    language = _language(context, seen.run_id)
    panels = {
        "train": Panel(_("Train it yourself"), partial(training.panel, context)),
        "objectives": Panel(_("Three objectives"), partial(objectives.panel, context, language)),
        "half": Panel(_("Knowledge cutoff"), partial(cutoff.panel, context, language)),
        "transfer": Panel(_("Transfer"), partial(transfer.panel, context, seen, language)),
    }
    st.markdown(f"## {_('Look closer')}")
    later = pick("pre_panel", panels, _("Look closer")).draw()
    return tasks.make(context, seen, language), later


def _language(context: PageContext, run: str) -> str:
    """Language of the text that comes with the playground: that of the run shown, else the reader's."""
    if run in shipped.RUNS:
        return run
    return context.language if context.language in shipped.RUNS else shipped.RUNS[0]
