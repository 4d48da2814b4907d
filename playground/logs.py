"""A log that a stranger cannot fill: a place in the source writes a few lines per minute, then counts."""

from __future__ import annotations

import logging
import time
from typing import Final

LINES_A_MINUTE: Final = 10


class RateLimit(logging.Filter):
    """Lets the first lines per minute of each place pass; the next one afterwards counts those left out.

    Example:
        >>> line = logging.makeLogRecord({"name": "x", "lineno": 1, "msg": "again"})
        >>> limit = RateLimit()
        >>> sum(limit.filter(line) for _ in range(1_000))
        10
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[tuple[str, int], tuple[float, int]] = {}  # place -> (minute's start, lines)

    def filter(self, record: logging.LogRecord) -> bool:
        """True if this line is written."""
        place, now = (record.name, record.lineno), time.monotonic()
        started_at, n_lines = self._counts.get(place, (now, 0))
        if now - started_at > 60:
            if n_lines > LINES_A_MINUTE:
                record.msg = f"{record.msg} [{n_lines - LINES_A_MINUTE} more like this before]"
            started_at, n_lines = now, 0
        self._counts[place] = (started_at, n_lines + 1)
        return n_lines < LINES_A_MINUTE


def limit_log_rate() -> None:
    """Put one `RateLimit` on every logger there is now."""
    limit = RateLimit()
    for name in [*logging.root.manager.loggerDict, "asyncio", "uvicorn.error"]:
        logger = logging.getLogger(name)
        if not any(isinstance(own, RateLimit) for own in logger.filters):
            logger.addFilter(limit)
