"""A least-recently-used cache bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that knows how many bytes it keeps alive."""

    @property
    def size_bytes(self) -> int:
        """Bytes that the value keeps alive."""
        ...


Value = TypeVar("Value", bound=Sized)


class ByteCache(Generic[Value]):
    """Keep the values used last, never more than `limit_bytes` of them. Safe to share between threads.

    Example:
        >>> from types import SimpleNamespace
        >>> cache = ByteCache(100)
        >>> for name in "abc":
        ...     cache.put(name, SimpleNamespace(size_bytes=40))
        >>> cache.get("a") is None, cache.get("c") is None, cache.size_bytes
        (True, False, 80)
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """Bytes of all values held."""
        return self._size_bytes

    def get(self, key: Hashable) -> Value | None:
        """The value, or None."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Insert; the least recently used values leave. A value over the limit is not kept."""
        if value.size_bytes > self.limit_bytes:
            return
        with self._lock:
            old = self._values.pop(key, None)
            self._size_bytes += value.size_bytes - (old.size_bytes if old is not None else 0)
            self._values[key] = value
            while self._size_bytes > self.limit_bytes:
                _, gone = self._values.popitem(last=False)
                self._size_bytes -= gone.size_bytes
            assert self._size_bytes <= self.limit_bytes, (self._size_bytes, self.limit_bytes)
