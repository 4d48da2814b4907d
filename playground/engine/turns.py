"""Who waits for whom before anything is asked of the model thread."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

from playground.engine.base import OnWait, Waiting
from playground.engine.waiting import POLL_S
from playground.errors import TimedOut


class Turns:
    """So many of one kind go on at the same time; the others wait in the order they came.

    Args:
        n_at_once: How many.
    """

    def __init__(self, n_at_once: int) -> None:
        self._n_at_once = n_at_once
        self._changed = Condition()
        self._line: list[_Turn] = []  # the first of each kind have their turn

    @contextmanager
    def turn(self, timeout_s: float, on_wait: OnWait | None, kind: Hashable = None) -> Iterator[None]:
        """Wait for a turn, and give it back.

        Args:
            timeout_s: Longest wait.
            on_wait: Told the place in the line.
            kind: Only those of the same kind wait for each other.

        Raises:
            TimedOut: It did not come.
        """
        mine, started = _Turn(kind), time.monotonic()
        with self._changed:
            self._line.append(mine)
        try:
            while place := self._place(mine):
                waited_s = time.monotonic() - started
                if waited_s > timeout_s:
                    raise TimedOut(seconds=timeout_s)
                if on_wait is not None:
                    on_wait(Waiting(place, waited_s, "ready", ""))
            yield
        finally:
            with self._changed:
                self._line.remove(mine)
                self._changed.notify_all()

    def _place(self, mine: _Turn) -> int:
        """How many turns must end before this one begins, after a short wait for it; 0: it begins."""
        with self._changed:
            if self._ahead(mine) >= self._n_at_once:
                self._changed.wait(POLL_S)
            return max(0, self._ahead(mine) - self._n_at_once + 1)

    def _ahead(self, mine: _Turn) -> int:
        return sum(one.kind == mine.kind for one in self._line[: self._line.index(mine)])


@dataclass(frozen=True, eq=False)
class _Turn:
    """Somebody in the line."""

    kind: Hashable
