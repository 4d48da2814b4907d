"""The tasks of the page Memory, checked against what the model really takes."""

from __future__ import annotations

from playground.ui.memory.shown import Shown
from playground.ui.state import PageContext
from playground.ui.try_this import Task


def tasks(context: PageContext, shown: Shown) -> list[Task]:
    """The three tasks."""
    return []
