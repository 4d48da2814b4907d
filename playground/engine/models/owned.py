"""Things in memory that sessions made: their owners, their bounds, how long they outlive a session."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar
from uuid import uuid4

from playground.errors import InputError, NoRoom

T = TypeVar("T")
_KEPT_NAMES = 10_000  # of sessions that have left: nothing that comes late for one of them stays


class Departures:
    """Sessions that have left, and when. Safe to share between threads.

    Args:
        grace_s: Seconds that a session's things outlive it.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._left: OrderedDict[str, float] = OrderedDict()

    def left(self, owner: str) -> None:
        """The session has left."""
        with self._lock:
            self._left[owner] = time.monotonic()

    def back(self, owner: str) -> None:
        """The session is back (its connection had been lost)."""
        with self._lock:
            self._left.pop(owner, None)

    def has_left(self, owner: str) -> bool:
        """True if the session has left."""
        return owner in self._left

    def all_left(self) -> set[str]:
        """All sessions that have left."""
        with self._lock:
            return set(self._left)

    def long_gone(self) -> set[str]:
        """Sessions that left so long ago that nothing of them stays."""
        too_old = time.monotonic() - self._grace_s
        with self._lock:
            old = {owner for owner, left in self._left.items() if left <= too_old}
            while len(self._left) > _KEPT_NAMES:
                self._left.popitem(last=False)
        return old


class Owned(Generic[T]):
    """Things of one kind, each of the session that made it. Safe to share between threads.

    An id cannot be guessed. When a session has left, whoever knows the id of a thing may use it too for a
    while (a reload is a new session), then its memory is released.

    Args:
        departures: The sessions that have left.
        size_of: Gives the bytes of a thing.
        most, most_bytes: Things of one session, and bytes of all.
        too_many: Makes the error of a session that has as many as it may.
        on_orphan: Called when something comes whose session has left meanwhile.
        on_forget: Called with the id of each that is forgotten, with the lock held.
        memory_of: Tells apart the memory of two things; what equal runs have learned is counted once.
    """

    def __init__(
        self,
        departures: Departures,
        size_of: Callable[[T], int],
        *,
        most: int,
        most_bytes: int,
        too_many: Callable[[], InputError],
        on_orphan: Callable[[], None],
        on_forget: Callable[[str], None] = lambda _thing_id: None,
        memory_of: Callable[[T], Hashable] = id,
    ) -> None:
        self._departures, self._size_of = departures, size_of
        self._most, self._most_bytes, self._too_many = most, most_bytes, too_many
        self._on_orphan, self._on_forget, self._memory_of = on_orphan, on_forget, memory_of
        self._lock = threading.Lock()
        self._held: OrderedDict[str, T] = OrderedDict()
        self._owners: dict[str, set[str]] = {}

    def add(self, thing: T, owner: str) -> str:
        """Keep a thing; gives its id.

        Raises:
            InputError: The session has as many as it may have.
            NoRoom: The server is full.
        """
        self.check_room(owner, self._size_of(thing))
        thing_id = uuid4().hex[:16]
        with self._lock:
            self._held[thing_id] = thing
            self._owners[thing_id] = {owner}
        if self._departures.has_left(owner):
            self._on_orphan()
        return thing_id

    def adopt(self, thing_id: str, thing: T, owners: Sequence[str]) -> None:
        """Keep a thing that was made in another process, under its id there; nothing happens if it is here.

        Raises:
            NoRoom: The server is full.
        """
        self._make_room(self._size_of(thing))
        with self._lock:
            self._held.setdefault(thing_id, thing)
            self._owners.setdefault(thing_id, set()).update(owners)
        if any(map(self._departures.has_left, owners)):
            self._on_orphan()

    def owners(self, thing_id: str) -> tuple[str, ...]:
        """The sessions that a thing belongs to."""
        with self._lock:
            return tuple(self._owners.get(thing_id, ()))

    def check_room(self, owner: str, size_bytes: int, n_coming: int = 0) -> None:
        """Refuse one more where there is no room for it.

        Args:
            owner: The session that it would belong to.
            size_bytes: Memory it takes.
            n_coming: Number of those that this session's runs will still bring.

        Raises:
            InputError: The session has as many as it may have.
            NoRoom: The server is full, also without those whose sessions have left.
        """
        self.forget_left()
        with self._lock:
            if sum(owner in owners for owners in self._owners.values()) + n_coming >= self._most:
                raise self._too_many()
        self._make_room(size_bytes)

    def _make_room(self, size_bytes: int) -> None:
        """Forget of those whose sessions have left what has to go; refuse where that is not enough."""
        with self._lock:
            total, left = size_bytes + self._total(), self._departures.all_left()
            for thing_id in [one for one, owners in self._owners.items() if owners <= left]:
                if total > self._most_bytes:
                    self._forget(thing_id)
                    total = size_bytes + self._total()
            if total > self._most_bytes:
                raise NoRoom

    def get(self, thing_id: str) -> T | None:
        """A thing, or None if it is no longer here, or never was."""
        return self._held.get(thing_id)

    def belongs(self, thing_id: str, owner: str) -> bool:
        """True if a session may use it; it may from now on where all others have left."""
        with self._lock:
            owners = self._owners.get(thing_id)
            if owners is None or not owner:
                return False
            if owners <= self._departures.all_left():
                owners.add(owner)
            return owner in owners

    def of(self, owner: str) -> list[tuple[str, T]]:
        """Ids and things of a session, oldest first."""
        with self._lock:
            return [(one, thing) for one, thing in self._held.items() if owner in self._owners[one]]

    def remove(self, thing_id: str, owner: str) -> None:
        """Delete a thing of this session."""
        with self._lock:
            if owner in self._owners.get(thing_id, ()):
                self._forget(thing_id)

    def forget_left(self) -> None:
        """Release the memory of what belongs to sessions that left long enough ago."""
        old = self._departures.long_gone()
        with self._lock:
            for thing_id in [one for one, owners in self._owners.items() if owners <= old]:
                self._forget(thing_id)

    @property
    def has_orphans(self) -> bool:
        """True if there is something whose sessions have left."""
        left = self._departures.all_left()
        with self._lock:
            return any(owners <= left for owners in self._owners.values())

    @property
    def size_bytes(self) -> int:
        """Memory of all."""
        with self._lock:
            return self._total()

    def _total(self) -> int:
        return sum({self._memory_of(one): self._size_of(one) for one in self._held.values()}.values())

    def _forget(self, thing_id: str) -> None:
        self._held.pop(thing_id, None)
        self._owners.pop(thing_id, None)
        self._on_forget(thing_id)
