"""A line before something of which there is room for one: equal requests stand in one place of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager


class Line:
    """Keys in the order they came; the first has its turn until all who stand there have left.

    Example:
        >>> line = Line()
        >>> with line.standing("a") as first, line.standing("b") as second, line.standing("a") as same:
        ...     first(), second(), same()
        (0, 1, 0)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[Hashable, int] = {}  # key -> how many stand there

    @contextmanager
    def standing(self, key: Hashable) -> Iterator[Callable[[], int]]:
        """A place in the line, from here to the end; gives what tells how many keys stand before it."""
        with self._lock:
            self._standing[key] = self._standing.get(key, 0) + 1
        try:
            yield lambda: self._place(key)
        finally:
            with self._lock:
                self._standing[key] -= 1
                if not self._standing[key]:
                    del self._standing[key]

    def _place(self, key: Hashable) -> int:
        with self._lock:
            return list(self._standing).index(key)
