"""The pace of the engine, as it was measured, and how long something takes at it."""

from __future__ import annotations

import time

HALF_LIFE = 4_096.0  # tokens, after which what was measured counts half
LEAST = 64.0  # tokens that must have been measured


class Pace:
    """Tokens a second of all that waits for a forward, training and writing beside it included.

    Example:
        >>> pace = Pace()
        >>> pace.seconds(100) is None
        True
    """

    def __init__(self) -> None:
        self._tokens = self._seconds = 0.0
        self._since = time.monotonic()

    def begin(self) -> None:
        """Something waits, and nothing did before: the time until now does not count."""
        self._since = time.monotonic()

    def add(self, tokens: float) -> None:
        """So many tokens have been computed since the last call, or the begin."""
        now = time.monotonic()
        kept = 0.5 ** (tokens / HALF_LIFE)
        self._tokens = self._tokens * kept + tokens
        self._seconds = self._seconds * kept + now - self._since
        self._since = now

    def seconds(self, tokens: float) -> float | None:
        """About how long so many tokens take; None while too little has been measured."""
        return tokens * self._seconds / self._tokens if self._tokens >= LEAST else None
