"""The one class of a process: who has joined, the view that was sent, whether training rests.

Nothing of it is written anywhere: it ends with the class, and with the process.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from playground.core.classroom.names import nickname
from playground.core.classroom.views import View
from playground.errors import NoClass, RoomFull

AWAY_S: Final = 75.0  # a tab in the background asks once a minute
FORGET_S: Final = 600.0  # a closed laptop may sleep this long and find its place


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a class.

    Attributes:
        members: Students with a nickname.
        release_s: Seconds without a teacher until training goes on.
        end_s: Seconds without a teacher until the class ends.
    """

    members: int = 200
    release_s: float = 300.0
    end_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Member:
    """A student who has joined.

    Attributes:
        name: The nickname.
        page: Name of the page the student is on.
        joined_at, page_since, seen_at: Times, seconds of the room's clock.
        follows: True if the student goes where the teacher leads.
    """

    name: str
    page: str
    joined_at: float
    page_since: float
    seen_at: float
    follows: bool = True


@dataclass(frozen=True, slots=True)
class RoomState:
    """The class at one moment.

    Attributes:
        now: Time of the room's clock.
        number: Number of the class in this process, 0 before the first.
        is_open: True while there is a class.
        version: Counts all that students have to hear of.
        members: The students who have joined, in the order they came.
        n_pushes: Number of views sent so far.
        pushed: The last view that was sent.
        is_frozen: True while training rests.
        teacher_seen_at: Time a teacher was last here.
    """

    now: float
    number: int
    is_open: bool
    version: int
    members: tuple[Member, ...]
    n_pushes: int
    pushed: View | None
    is_frozen: bool
    teacher_seen_at: float

    def is_away(self, member: Member) -> bool:
        """True if nothing has been heard of a student for a while."""
        return self.now - member.seen_at > AWAY_S


class Room:
    """The class. Safe to share between threads; whoever calls has checked who may.

    Args:
        limits: Its bounds.
        clock: Clock, seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._lock = threading.RLock()
        self._members: dict[str, Member] = {}  # by the secret that only the student's session has
        self._number = self._version = self._n_pushes = 0
        self._is_open = self._is_frozen = False
        self._pushed: View | None = None
        self._teacher_seen_at = clock()
        self._on_end: list[Callable[[], None]] = []

    def when_it_ends(self, act: Callable[[], None]) -> None:
        """Do this at the end of every class, also of one that ends by itself; it asks nothing of the room."""
        self._on_end.append(act)

    # ---- anybody

    def state(self) -> RoomState:
        """The class as it is now; what a teacher who left forgot is undone first."""
        with self._lock:
            self._tidy()
            return RoomState(
                self._clock(), self._number, self._is_open, self._version, tuple(self._members.values()),
                self._n_pushes, self._pushed, self._is_frozen, self._teacher_seen_at,
            )  # fmt: skip

    def member(self, member_id: str) -> Member | None:
        """The student with this secret; None if there is none, or no class."""
        with self._lock:
            self._tidy()
            return self._members.get(member_id)

    # ---- students

    def join(self, typed: str, page: str) -> str:
        """Come into the class under a nickname; gives the secret by which the student is known from now on.

        Args:
            typed: The nickname as typed.
            page: Name of the page the student is on.

        Raises:
            NoClass: There is no class.
            NoName, NameTaken: The nickname cannot be.
            RoomFull: There are as many students as there may be.
        """
        with self._lock:
            self._tidy()
            if not self._is_open:
                raise NoClass
            name = nickname(typed, (one.name for one in self._members.values()))
            if len(self._members) >= self._limits.members:
                raise RoomFull(limit=self._limits.members)
            now, member_id = self._clock(), secrets.token_urlsafe(16)
            self._members[member_id] = Member(name, page, now, now, now)
            return member_id

    def leave(self, member_id: str) -> None:
        """Forget a student."""
        with self._lock:
            self._members.pop(member_id, None)

    def seen(self, member_id: str, page: str | None = None) -> None:
        """A student is here, and on this page if one is named."""
        with self._lock:
            member, now = self._members.get(member_id), self._clock()
            if member is None:
                return
            if page is not None and page != member.page:
                member = replace(member, page=page, page_since=now)
            self._members[member_id] = replace(member, seen_at=now)

    def follow(self, member_id: str, follows: bool) -> None:
        """A student follows the teacher from now on, or no longer."""
        with self._lock:
            if member_id in self._members:
                self._members[member_id] = replace(self._members[member_id], follows=follows)

    # ---- teachers

    def open(self) -> None:
        """Begin a class; nothing happens where there is one."""
        with self._lock:
            self._tidy()
            self._teacher_seen_at = self._clock()
            if not self._is_open:
                self._is_open = True
                self._number += 1
                self._version += 1

    def end(self) -> None:
        """End the class: nothing of it stays."""
        with self._lock:
            if not self._is_open:
                return
            self._members.clear()
            self._is_open = self._is_frozen = False
            self._pushed = None
            self._n_pushes = 0
            self._version += 1
            for act in self._on_end:
                act()

    def teacher_is_here(self) -> None:
        """A teacher looks at the class."""
        with self._lock:
            self._tidy()
            self._teacher_seen_at = self._clock()

    def push(self, view: View) -> None:
        """Send all who follow to a view.

        Raises:
            NoClass: There is no class.
        """
        with self._lock:
            self._tidy()
            if not self._is_open:
                raise NoClass
            self._pushed = view
            self._n_pushes += 1
            self._version += 1

    def freeze(self, is_frozen: bool) -> None:
        """Let training rest, or go on.

        Raises:
            NoClass: There is no class.
        """
        with self._lock:
            self._tidy()
            if not self._is_open:
                raise NoClass
            self._is_frozen = is_frozen
            self._version += 1

    def tell(self) -> None:
        """Have every student's page look again at what the class shows."""
        with self._lock:
            self._version += 1

    # ---- time

    def _tidy(self) -> None:
        """Forget who is long gone; undo what a teacher left behind. With the lock held."""
        now = self._clock()
        alone_s = now - self._teacher_seen_at
        if self._is_open and alone_s > self._limits.end_s:
            self.end()
        if self._is_frozen and alone_s > self._limits.release_s:
            self._is_frozen = False
            self._version += 1
        gone = [key for key, one in self._members.items() if now - one.seen_at > FORGET_S]
        for key in gone:
            del self._members[key]
