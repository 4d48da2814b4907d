"""Embeddings: from a token's number to a vector, and from a vector to a neighbourhood of meaning."""

from __future__ import annotations

from playground.core.embeddings import EmbeddingTable
from playground.ui import compute
from playground.ui.embeddings import analogy, contexts, neighbours, sentences, tasks, training
from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one picture that the reader wants."""
    panels: dict[str, Panel[[PageContext, EmbeddingTable]]] = {
        "neighbours": Panel(_("Neighbours"), neighbours.draw),
        "analogy": Panel(_("Analogies"), analogy.draw),
        "training": Panel(_("From random to meaning"), training.draw),
        "context": Panel(_("Context"), contexts.draw),
        "sentences": Panel(_("Sentences"), sentences.draw),
    }
    panel = pick("emb_view", panels, _("Picture"))
    table = compute.embedding_table(context)
    panel.draw(context, table)
    return tasks.make(table), None
