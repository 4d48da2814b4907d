"""Places for requests of the endpoint: bounded for a key and for all; who waits holds no thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from playground.settings import Settings
from playground.v1.refusals import too_many


class Places:
    """First come, first served among the keys that have a free place. Used on the server's event loop only.

    Args:
        settings: Requests that are computed, and that are open at all, of a key and of all keys.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @contextmanager
    def opened(self, owner: str) -> Iterator[None]:
        """A request of a key from its first word to its end.

        Raises:
            Refused: As many are open as may be, of this key or of all.
        """
        settings = self._settings
        if self._open[owner] >= settings.max_endpoint_open_per_key:
            raise too_many(settings.max_endpoint_open_per_key)
        if self._open.total() >= settings.max_endpoint_open:
            raise too_many(settings.max_endpoint_open)
        self._open[owner] += 1
        try:
            yield
        finally:
            _less(self._open, owner)

    async def turn(self, owner: str) -> None:
        """Wait until a request may be computed; whoever has a turn calls `free` once it is over."""
        if not self._may(owner):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((owner, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # it was given a turn at this very moment
                    self.free(owner)
                else:
                    self._waiting.remove((owner, turn))
                raise
        else:
            self._running[owner] += 1

    def free(self, owner: str) -> None:
        """A request is computed no longer; whoever has waited longest and may run has the next turn."""
        _less(self._running, owner)
        for place, (other, turn) in enumerate(self._waiting):
            if turn.cancelled() or not self._may(other):
                continue
            del self._waiting[place]
            self._running[other] += 1
            turn.set_result(None)
            return

    def _may(self, owner: str) -> bool:
        settings = self._settings
        is_free = self._running.total() < settings.max_endpoint_running
        return is_free and self._running[owner] < settings.max_endpoint_running_per_key


def _less(counts: Counter[str], owner: str) -> None:
    counts[owner] -= 1
    if not counts[owner]:
        del counts[owner]
