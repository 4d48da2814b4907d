"""Limits how often a text that the model writes is drawn anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Throttle:
    """Draws as often as a share of the time allows, and no more than a few times per second.

    With many readers at once a drawing takes longer, so it is done less often: the model goes first.

    Attributes:
        per_s: Most drawings per second.
        share: Share of the time that drawing may take.
    """

    per_s: float = 4
    share: float = 0.05
    _next_at: float = 0.0

    def __call__(self, draw: Callable[[], object]) -> None:
        """Draw, if it is time; the first call always is."""
        now = time.monotonic()
        if now >= self._next_at:
            draw()
            spent_s = time.monotonic() - now
            self._next_at = now + max(1 / self.per_s, spent_s / self.share)
