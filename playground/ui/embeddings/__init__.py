"""The embeddings page: five views of vectors, one module each, one drawn at a time."""

from __future__ import annotations

from collections.abc import Callable

from playground.core.embeddings import EmbeddingTable
from playground.ui.choose import choose
from playground.ui.embeddings import analogy, contexts, neighbours, sentences, training
from playground.ui.state import PageContext
from playground.ui.text import N_, _

View = Callable[[PageContext, EmbeddingTable], None]

_VIEWS: dict[str, tuple[str, View]] = {
    "neighbours": (N_("Neighbours"), neighbours.draw),
    "analogy": (N_("Analogies"), analogy.draw),
    "training": (N_("From random to meaning"), training.draw),
    "context": (N_("Context"), contexts.draw),
    "sentences": (N_("Sentences"), sentences.draw),
}


def choose_view() -> View:
    """The picture the reader wants; only that one is computed."""
    names = {view: _(name) for view, (name, _draw) in _VIEWS.items()}
    return _VIEWS[choose("emb_view", names, _("Picture"))][1]
