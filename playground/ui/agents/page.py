"""A model in a loop: it decides what happens next, tools answer, and everything is read again."""

from __future__ import annotations

from playground.ui.agents import gallery, langchain, loop, personas, strategies
from playground.ui.agents.tasks import tasks
from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants."""
    panels: dict[str, Panel[[PageContext]]] = {
        "loop": Panel(_("The loop"), loop.panel),
        "strategies": Panel(_("Five strategies"), strategies.panel),
        "gallery": Panel(_("Failures"), gallery.panel),
        "personas": Panel(_("Several personas"), personas.panel),
        "langchain": Panel(_("LangChain's parts"), langchain.panel),
    }
    later = pick("ag_panel", panels, _("Picture")).draw(context)
    return tasks(), later
