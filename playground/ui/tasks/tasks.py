"""The tasks of the page, checked against what was measured and what the reader did."""

from __future__ import annotations

from functools import partial

from playground.ui.state import PageContext
from playground.ui.tasks import chosen, classification, names
from playground.ui.tasks.sets import language_of
from playground.ui.try_this import Task


def tasks(context: PageContext) -> list[Task]:
    """Read a cell of each matrix, and turn an answer by an edit."""
    language = language_of(context)
    return [
        Task("missed", "number", partial(classification.missed, language)),
        Task("turned", "goal", chosen.has_turned),
        Task("overlooked", "number", partial(names.overlooked, language)),
    ]
