"""Numbers on the screen that the tasks ask about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Shown:
    """Numbers on the screen; empty until they are there."""
