"""Numbers about a model and its answers, and how each can be fooled; one panel at a time."""

from __future__ import annotations

from functools import partial

from playground.ui.evaluation import bleu, board, court, glue, judge, rouge, upload
from playground.ui.evaluation.shown import Shown
from playground.ui.evaluation.tasks import tasks
from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """One panel: perplexity first."""
    shown = Shown()
    panels: dict[str, Panel[[PageContext]]] = {
        "perplexity": Panel(_("Perplexity"), partial(court.panel, shown=shown)),
        "bleu": Panel("BLEU", bleu.panel),
        "rouge": Panel("ROUGE", rouge.panel),
        "glue": Panel(_("GLUE in small"), glue.panel),
        "board": Panel(_("Beat the metric"), board.panel),
        "judge": Panel(_("A model as a judge"), partial(judge.panel, shown=shown)),
        "own": Panel(_("My predictions"), upload.panel),
    }
    later = pick("ev_panel", panels, _("Which number")).draw(context)
    return tasks(shown), later
