"""Memory that a model takes: predicted and measured, by bit, by token, by device; one panel at a time."""

from __future__ import annotations

from functools import partial

from playground.ui.frame import Drawn
from playground.ui.memory import bits, budget, cache, devices, quantize
from playground.ui.memory.shown import Shown
from playground.ui.memory.tasks import tasks
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """One panel: the budget first."""
    shown = Shown()
    panels: dict[str, Panel[[PageContext]]] = {
        "budget": Panel(_("Budget"), partial(budget.panel, shown=shown)),
        "bits": Panel(_("Bits of a weight"), partial(bits.panel, shown=shown)),
        "quantize": Panel(_("Quantize"), quantize.panel),
        "cache": Panel(_("KV cache"), partial(cache.panel, shown=shown)),
        "devices": Panel(_("Many GPUs"), partial(devices.panel, shown=shown)),
    }
    later = pick("mem_panel", panels, _("Picture")).draw(context)
    return tasks(context, shown), later
