"""Five jobs: sentiment, names, translation, summaries, questions; each measured on a set."""

from __future__ import annotations

from functools import partial

from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.tasks import classification, names, questions, three_ways, writing
from playground.ui.tasks.tasks import tasks
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """One job at a time: the reader's own text, the set with its figures, the errors."""
    panels: dict[str, Panel[[PageContext]]] = {
        "classification": Panel(_("Sentiment"), classification.panel),
        "ner": Panel(_("Names"), names.panel),
        "translation": Panel(_("Translation"), partial(writing.panel, "translation")),
        "summarization": Panel(_("Summary"), partial(writing.panel, "summarization")),
        "qa": Panel(_("Question answering"), questions.panel),
        "ways": Panel(_("Three ways"), three_ways.panel),
    }
    later = pick("tsk_job", panels, _("Job")).draw(context)
    return tasks(context), later
