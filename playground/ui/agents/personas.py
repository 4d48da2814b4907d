"""The panel personas."""

from __future__ import annotations

from playground.ui.state import PageContext


def panel(context: PageContext) -> None:
    """Draw it."""
