"""Looking it up: documents in chunks, a vector database, and the chunks it finds for a question."""

from __future__ import annotations

from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.retrieval import chunks, collection, search
from playground.ui.retrieval.tasks import tasks
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants."""
    panels: dict[str, Panel[[PageContext]]] = {
        "chunks": Panel(_("Documents and chunks"), chunks.panel),
        "search": Panel(_("Search"), search.panel),
    }
    later = pick("ret_panel", panels, _("Picture")).draw(context)
    collection.warm(context)
    return tasks(context), later
