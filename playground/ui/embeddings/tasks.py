"""The three tasks of the page, checked against the table on the screen."""

from __future__ import annotations

from playground.core.embeddings import EmbeddingTable
from playground.ui.embeddings import analogy
from playground.ui.embeddings.neighbours import all_nearest, baseline, everyday_token
from playground.ui.text import _
from playground.ui.try_this import Task


def make(table: EmbeddingTable) -> list[Task]:
    """The tasks for this model."""
    return [
        Task("baseline", "number", lambda: float(baseline(table).cosine.mean()), tolerance=0.01),
        Task("longest", "choice", lambda: _loudest(table), _measures()),
        Task("analogies", "number", lambda: _right(table)),
    ]


def _measures() -> dict[str, str]:
    return {
        "long": _("longer than most vectors"),
        "short": _("shorter than most vectors"),
        "same": _("about as long as the others"),
    }


def _loudest(table: EmbeddingTable) -> str:
    """Lengths of the vectors nearest by dot product to an everyday word, among all of the table."""
    nearest = all_nearest(table, everyday_token(table.model_id))[2].token_ids
    share = float((table.norms < table.norms[nearest].mean()).mean())
    return "long" if share > 2 / 3 else "short" if share < 1 / 3 else "same"


def _right(table: EmbeddingTable) -> int:
    """Sample analogies answered with the input words left out."""
    return int((analogy.scores(table)["rank_without"] == 1).sum())
