"""What keeps much memory between its jobs is let in a few at a time."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition

from playground.engine.base import OnWait, Waiting
from playground.engine.waiting import POLL_S
from playground.errors import TimedOut


class Turns:
    """So many long computations go on at the same time; the others wait in the order they came.

    Args:
        n_at_once: How many.
    """

    def __init__(self, n_at_once: int) -> None:
        self._n_at_once = n_at_once
        self._changed = Condition()
        self._line: list[object] = []  # the first of them have their turn

    @contextmanager
    def turn(self, timeout_s: float, on_wait: OnWait | None) -> Iterator[None]:
        """Wait for a turn, and give it back.

        Raises:
            TimedOut: It did not come.
        """
        mine, started = object(), time.monotonic()
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

    def _place(self, mine: object) -> int:
        """How many turns must end before this one begins, after a short wait for it; 0: it begins."""
        with self._changed:
            if self._line.index(mine) >= self._n_at_once:
                self._changed.wait(POLL_S)
            return max(0, self._line.index(mine) - self._n_at_once + 1)


class Flights:
    """Of those who want the same thing only one computes it; the others wait, and then find it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._busy: set[Hashable] = set()

    @contextmanager
    def alone(self, key: Hashable, timeout_s: float, on_wait: OnWait | None) -> Iterator[None]:
        """Wait until nobody else computes this.

        Raises:
            TimedOut: Somebody still does.
        """
        started = time.monotonic()
        while not self._taken(key):
            waited_s = time.monotonic() - started
            if waited_s > timeout_s:
                raise TimedOut(seconds=timeout_s)
            if on_wait is not None:
                on_wait(Waiting(0, waited_s, "ready", ""))
        try:
            yield
        finally:
            with self._changed:
                self._busy.remove(key)
                self._changed.notify_all()

    def _taken(self, key: Hashable) -> bool:
        with self._changed:
            if key in self._busy:
                self._changed.wait(POLL_S)
            if key in self._busy:
                return False
            self._busy.add(key)
            return True
