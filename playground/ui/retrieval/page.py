"""Looking it up: documents in chunks, a vector database, the chunks it finds, and answers from them."""

from __future__ import annotations

from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.retrieval import answers, chunks, collection, measured_search, search
from playground.ui.retrieval.tasks import tasks
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants."""
    panels: dict[str, Panel[[PageContext]]] = {
        "chunks": Panel(_("Documents and chunks"), chunks.panel),
        "search": Panel(_("Search"), search.panel),
        "answers": Panel(_("Answers"), _answers),
        "measured": Panel(_("Retrieval measured"), _measured),
    }
    later = pick("ret_panel", panels, _("Picture")).draw(context)
    collection.warm(context)
    return tasks(context), later


def _answers(context: PageContext) -> Later | None:
    now = collection.current(context)
    return None if now is None else answers.panel(context, now)


def _measured(context: PageContext) -> Later | None:
    now = collection.current(context)
    return None if now is None else measured_search.panel(context, now)
