"""Encoder, decoder, or both: who may look at whom in three families, and what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.ui.families import bertviz, changed, job, maps, strengths, writing
from playground.ui.families.maps import Heads
from playground.ui.families.players import Player, of_family, players
from playground.ui.families.tasks import tasks
from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _

Shown = Callable[[PageContext, Sequence[Player], Heads], Later | None]


def draw(context: PageContext) -> Drawn:
    """The maps of three families, one panel below them, strengths and weaknesses."""
    which, source = maps.controls(context)
    found = players(context, source)
    if not found:
        return (), None
    heads = maps.chosen_heads(which, found)
    maps.draw(found, heads)
    panels: dict[str, Panel[[PageContext, Sequence[Player], Heads]]] = {
        "changed": Panel(_("Change the last word"), _changed),
        "cross": Panel(_("Step by step"), _cross),
        "bertviz": Panel("BertViz", _bertviz),
        "job": Panel(_("The same job"), _job),
    }
    later = pick("fam_panel", panels, _("More to see")).draw(context, found, heads)
    strengths.table(found, heads, job.measured(context, found))
    return tasks(found, heads), later


def _changed(_context: PageContext, found: Sequence[Player], _heads: Heads) -> None:
    changed.panel(found)


def _cross(_context: PageContext, found: Sequence[Player], heads: Heads) -> None:
    if both := _encoder_decoder(found):
        writing.panel(both, heads[both.family])


def _bertviz(_context: PageContext, found: Sequence[Player], _heads: Heads) -> None:
    if both := _encoder_decoder(found):
        bertviz.panel(both)


def _job(context: PageContext, found: Sequence[Player], _heads: Heads) -> Later | None:
    return job.panel(context, found)


def _encoder_decoder(found: Sequence[Player]) -> Player | None:
    both = of_family(found, "encoder-decoder")
    if both is None:
        st.info(_("This panel needs an encoder-decoder."))
    return both
