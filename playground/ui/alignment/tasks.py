"""Three tasks, solved by what the model gives."""

from __future__ import annotations

from playground.ui.state import PageContext
from playground.ui.try_this import Task


def make(context: PageContext) -> list[Task]:
    """The tasks of the page."""
    return []
