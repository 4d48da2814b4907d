"""Places of replicas: which are there, and which one answers what."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from playground.engine.remote.messages import Call, Chunk, News
from playground.errors import Cancelled, NotComputed, ReplicaLost

log = logging.getLogger(__name__)
WEB = uuid4().hex  # this process
AGAIN_S = 0.2
MAX_OWNERS = 10_000


class Seat:
    """A place on which Serve keeps one replica.

    Attributes:
        name: Its name, the same for every web process.
        life: Id of the replica that sits there now, "" before the first.
        is_here: True while a replica answers there.

    Args:
        name: Its name.
        handle: Serve's handle of it.
        loop: The event loop in which all answers arrive.
        is_death: Tells whether an error means that the replica has died.
    """

    def __init__(
        self,
        name: str,
        handle: Any,  # noqa: ANN401
        loop: asyncio.AbstractEventLoop,
        is_death: Callable[[Exception], bool],
    ) -> None:
        self.name, self.life, self.is_here = name, "", False
        self._calls, self._streams = handle, handle.options(stream=True)
        self._loop, self._is_death = loop, is_death
        self._open: set[asyncio.Task[None]] = set()

    def converse(self, call: Call, sent: SimpleQueue[Chunk]) -> None:
        """Do a call; its messages arrive in `sent`, the last one whatever becomes of it."""
        if self._loop.is_closed():
            sent.put(Chunk(is_last=True, error=Cancelled()))
        else:
            self._loop.call_soon_threadsafe(self._begin, call, sent)

    def cancel(self, call_id: str) -> None:
        """End a call."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._calls.cancel.remote, call_id)

    def _begin(self, call: Call, sent: SimpleQueue[Chunk]) -> None:
        task = self._loop.create_task(self._carry(call, sent))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _carry(self, call: Call, sent: SimpleQueue[Chunk]) -> None:
        last = Chunk(is_last=True, error=ReplicaLost())
        try:
            if self.is_here:
                async for chunk in self._streams.converse.remote(call):
                    if chunk.is_last:
                        last = chunk
                        break
                    sent.put(chunk)
        except Exception as error:
            if self._is_death(error):
                self._lose()
            else:
                log.exception("an answer could not be brought")
                last = Chunk(is_last=True, error=NotComputed())
        finally:
            sent.put(last)

    async def _ask(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        return await getattr(self._calls, method).remote(*args)

    def asked(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        """The result of a method of the replica itself, beside those of its engine.

        Raises:
            ReplicaLost: There is none, or it dies.
        """
        if not self.is_here:
            raise ReplicaLost
        try:
            return asyncio.run_coroutine_threadsafe(self._ask(method, *args), self._loop).result()
        except Exception as error:
            if self._is_death(error):
                raise ReplicaLost from error
            raise

    async def watch(self, here: Callable[[], None], tell: Callable[[News], None]) -> None:
        """Know at once when a replica comes and when it dies; hear what its sessions learn."""
        while True:
            try:
                async for life, news in self._streams.watch.remote(WEB):
                    if not self.is_here:
                        self.life, self.is_here = life, True
                        here()
                    for one in news:
                        tell(one)
            except Exception as error:  # noqa: BLE001  (whatever it is, the replica does not answer)
                log.info("%s: %s", self.name, type(error).__name__)
            self._lose()
            await asyncio.sleep(AGAIN_S)

    def _lose(self) -> None:
        self.is_here = False
        for task in list(self._open):
            if task is not asyncio.current_task():
                task.cancel()


class Seats:
    """All seats of a cluster. Safe to share between threads.

    Args:
        seats: The seats.
        tell: Called with news of a seat's replica, in the thread of the event loop.
    """

    def __init__(self, seats: Sequence[Seat], tell: Callable[[Seat, News], None]) -> None:
        self.all = tuple(seats)
        self._changed = threading.Condition()
        self._homes: OrderedDict[str, tuple[Seat, str]] = OrderedDict()
        for seat in seats:
            self._watch(seat, tell)

    def _watch(self, seat: Seat, tell: Callable[[Seat, News], None]) -> None:
        watching = seat.watch(self._came, lambda news: tell(seat, news))
        asyncio.run_coroutine_threadsafe(watching, seat._loop)

    def _came(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def here(self, timeout_s: float) -> list[Seat]:
        """The seats with a replica, once there is one.

        Raises:
            ReplicaLost: There is none, not even after this time.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while not (found := [seat for seat in self.all if seat.is_here]):
                if not self._changed.wait(end - time.monotonic()):
                    raise ReplicaLost
            return found

    def of_question(self, question: object, timeout_s: float) -> Seat:
        """The seat where equal questions meet."""
        return _chosen(repr(question), self.here(timeout_s))

    def of_owner(self, owner: str, timeout_s: float) -> Seat:
        """The seat of a session: the same as long as its replica lives."""
        with self._changed:
            seat, life = self._homes.get(owner, (None, ""))
            if seat is not None and seat.is_here and seat.life == life:
                self._homes.move_to_end(owner)
                return seat
        seat = _chosen(owner, self.here(timeout_s))
        with self._changed:
            self._homes[owner] = seat, seat.life
            while len(self._homes) > MAX_OWNERS:
                self._homes.popitem(last=False)
        return seat


def _chosen(key: str, seats: Sequence[Seat]) -> Seat:
    """Rendezvous hashing: of all seats the one with the largest hash, so that a lost one moves only its own.

    Source:
        Thaler and Ravishankar 1998, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM Transactions
        on Networking 6(1).
    """
    return max(seats, key=lambda seat: hashlib.sha256(f"{seat.name}\0{key}".encode()).digest())
