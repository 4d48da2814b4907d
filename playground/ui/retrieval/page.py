"""Looking it up: documents in chunks, a vector database, its indexes, and answers from what it finds."""

from __future__ import annotations

from playground.ui.frame import Drawn
from playground.ui.panels import Later, Panel, pick
from playground.ui.retrieval import answers, asking, chunks, collection, measured_search, search, theatre
from playground.ui.retrieval.built import Vectored
from playground.ui.retrieval.tasks import tasks
from playground.ui.retrieval.theatre import Asked
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants."""
    panels: dict[str, Panel[[PageContext]]] = {
        "chunks": Panel(_("Documents and chunks"), chunks.panel),
        "search": Panel(_("Search the chunks"), search.panel),
        "theatre": Panel(_("Index theatre"), _theatre),
        "answers": Panel(_("Answers"), _answers),
        "measured": Panel(_("Retrieval measured"), _measured),
    }
    later = pick("ret_panel", panels, _("Picture")).draw(context)
    collection.warm(context)
    return tasks(context), later


def _theatre(context: PageContext) -> None:
    now, asked = collection.current(context), None
    if now is None:
        theatre.panel(context.owner, None, None)
        return
    texts = tuple(chunk.text for chunk in now.content.chunks)
    own = Vectored(now.collection_id, now.model, texts, now.content.vectors, now.info.is_shared)
    if (vector := asking.vector(context, now)) is not None:
        asked = Asked(asking.question(), vector, now.model)
    theatre.panel(context.owner, own, asked)


def _answers(context: PageContext) -> Later | None:
    now = collection.current(context)
    return None if now is None else answers.panel(context, now)


def _measured(context: PageContext) -> Later | None:
    now = collection.current(context)
    return None if now is None else measured_search.panel(context, now)
