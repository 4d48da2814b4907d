"""Requests of a web process to its replicas: open until they end, retried once where a replica dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.remote.messages import Call, Chunk
from playground.engine.remote.seats import WEB, Seat
from playground.errors import (
    AdapterGone,
    Cancelled,
    Message,
    PlaygroundError,
    QueueFull,
    ReplicaLost,
    Superseded,
    TimedOut,
)
from playground.settings import Settings

POLL_S = 0.1
SILENCE_S = 10.0  # beyond the time that the replica itself allows
Route = Callable[[float], Seat]  # gives the seat, waits so long for one
STARTING = Message("A replica is being started.")


@dataclass(eq=False)
class OpenCall:
    """One request, from its first word to its end, on whatever replica.

    Attributes:
        request_id, owner, kind, topic: As in the scheduler's `OpenRequest`.
        error: Reason for an early end.
    """

    request_id: str
    owner: str
    kind: str
    topic: str | None
    error: PlaygroundError | None = None

    def check(self) -> None:
        """Raise the reason if it has ended early."""
        if self.error is not None:
            raise self.error


class Calls:
    """All requests of this web process. Safe to share between threads.

    Args:
        settings: The limits.
        bring: Brings an adapter onto a seat; False if nobody has it.
    """

    def __init__(self, settings: Settings, bring: Callable[[str, Seat], bool]) -> None:
        self._settings, self._bring = settings, bring
        self._lock = threading.Lock()
        self._open: dict[OpenCall, None] = {}
        self._closed = False

    # ---- asking

    def value(
        self,
        route: Route,
        method: str,
        *args: Any,  # noqa: ANN401
        model: str = "",
        owner: str = "",
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """The result of a method that tells nobody how it waits.

        Args:
            route: The seat to ask.
            method, args, named: The call.
            model: Model it needs, which may have an adapter.
            owner: The session it is for.
        """
        call = Call(method, args, named, owner=owner, web=WEB)
        open_ = OpenCall("", owner, "", None)
        (found,) = self._tried(route, call, open_, None, model=model)
        return found

    def about(self, route: Route, method: str, model: str, on_wait: OnWait | None) -> Any:  # noqa: ANN401
        """The result of a method that is asked by a model's id alone, and tells how it waits."""
        with self.opened(Asked(model), "") as open_:
            call = Call(method, (model,), tells_waits=True, web=WEB)
            (found,) = self._tried(route, call, open_, on_wait, model=model)
            return found

    def of_all(self, seats: Sequence[Seat], method: str, *args: Any) -> list[Any]:  # noqa: ANN401
        """The answers of several replicas, asked at the same time; without those that die meanwhile."""
        asked = []
        for seat in seats:
            sent: SimpleQueue[Chunk] = SimpleQueue()
            seat.converse(Call(method, args, web=WEB), sent)
            asked.append(sent)
        found: list[Any] = []
        for sent in asked:
            chunk = sent.get()
            if chunk.error is None:
                found.extend(chunk.items)
            elif not isinstance(chunk.error, ReplicaLost):
                raise chunk.error
        return found

    def answer(
        self, route: Route, method: str, request: Asked, on_wait: OnWait | None, *, kind: str = ""
    ) -> Any:  # noqa: ANN401
        """The result of a method that is asked by a request; arguments as in `items`."""
        (found,) = self.items(route, method, request, on_wait, kind=kind)
        return found

    def items(
        self,
        route: Route,
        method: str,
        request: Asked,
        on_wait: OnWait | None,
        *,
        kind: str = "",
        by_place: bool = False,
        is_retried: bool = True,
    ) -> Iterator[Any]:
        """The items that a method gives, as they come; closing the iterator ends the request.

        Args:
            route: The seat to ask.
            method, request: The call.
            on_wait: Told where it stands while it waits.
            kind: A newer request of its session, kind and topic supersedes it; "": none does.
            by_place: True if an item begins with the place it belongs to: they may come in another order
                from another replica.
            is_retried: True if it begins again on another replica where its own dies.
        """
        with self.opened(request, kind) as open_:
            yield from self.sent(
                route, method, request, open_, on_wait, by_place=by_place, is_retried=is_retried
            )

    def sent(
        self, route: Route, method: str, request: Asked, open_: OpenCall, on_wait: OnWait | None, *,
        by_place: bool = False, is_retried: bool = True,
    ) -> Iterator[Any]:  # fmt: skip
        """As `items`, of a request that is open already."""
        call = Call(method, (request,), tells_waits=True, owner=request.owner, web=WEB)
        yield from self._tried(
            route, call, open_, on_wait, model=request.model, by_place=by_place, is_retried=is_retried
        )

    def _tried(
        self, route: Route, call: Call, open_: OpenCall, on_wait: OnWait | None, *,
        model: str, by_place: bool = False, is_retried: bool = True,
    ) -> Iterator[Any]:  # fmt: skip
        """The items of a call; once more where its replica dies, or lacks an adapter that others have."""
        given: set[Any] = set()
        while True:
            seat = self._seat(route, open_, on_wait)
            try:
                for number, item in enumerate(self._conversation(seat, call, open_, on_wait)):
                    place = item[0] if by_place else number
                    if place not in given:
                        given.add(place)
                        yield item
                return
            except AdapterGone:
                if not model or not self._bring(model, seat):
                    raise
                model = ""
            except ReplicaLost:
                if not is_retried:
                    raise
                is_retried = False

    def _seat(self, route: Route, open_: OpenCall, on_wait: OnWait | None) -> Seat:
        begun = time.monotonic()
        while True:
            open_.check()
            if self._closed:
                raise Cancelled
            try:
                return route(POLL_S)
            except ReplicaLost:
                waited_s = time.monotonic() - begun
                if waited_s > self._settings.request_timeout_s:
                    raise
                if on_wait is not None:
                    on_wait(Waiting(0, waited_s, "loading", STARTING))

    def _conversation(self, seat: Seat, call: Call, open_: OpenCall, on_wait: OnWait | None) -> Iterator[Any]:
        """The items of one call to one replica."""
        first = call.args[0] if call.args else None
        limit_s = (first.timeout_s if isinstance(first, Asked) else None) or self._settings.request_timeout_s
        sent: SimpleQueue[Chunk] = SimpleQueue()
        stands, heard, is_over = Waiting(0, 0.0, "ready"), time.monotonic(), False
        answered = heard
        seat.converse(call, sent)
        try:
            while not is_over:
                open_.check()
                try:
                    chunk = sent.get(timeout=POLL_S)
                except Empty:
                    chunk = Chunk()
                else:
                    heard = time.monotonic()
                stands, is_over = chunk.waiting or stands, chunk.is_last
                for item in chunk.items:
                    open_.check()  # cancelled: also what has come already is not wanted
                    answered = heard
                    yield item
                if chunk.error is not None:
                    raise chunk.error
                now = time.monotonic()
                if call.tells_waits and now - heard > limit_s + SILENCE_S:
                    raise TimedOut(seconds=limit_s)
                if on_wait is not None and not chunk.items and not is_over:
                    on_wait(replace(stands, waited_s=now - answered))
        finally:
            if not is_over:
                seat.cancel(call.call_id)

    # ---- which are open

    @contextmanager
    def opened(self, request: Asked, kind: str) -> Iterator[OpenCall]:
        """A request from here to its end.

        Raises:
            Cancelled: The engine is closed.
            QueueFull: The session, or all of them, have asked as much as they may.
        """
        open_ = OpenCall(request.request_id, request.owner, kind, request.topic if kind else None)
        with self._lock:
            if self._closed:
                raise Cancelled
            for older in self._open:
                same = (older.owner, older.kind, older.topic) == (open_.owner, kind, open_.topic)
                if open_.owner and open_.topic is not None and same:
                    older.error = older.error or Superseded()
            going_on = [one for one in self._open if one.error is None]
            mine = sum(one.owner == open_.owner for one in going_on)
            most = self._settings.max_inbox * self._settings.replicas
            if len(going_on) >= most or (open_.owner and mine >= self._settings.max_inbox_per_session):
                raise QueueFull(position=len(going_on) + 1)
            self._open[open_] = None
        try:
            yield open_
        finally:
            with self._lock:
                del self._open[open_]

    def cancel(self, request_id: str) -> None:
        """End the requests of this id."""
        self._stop(lambda one: bool(request_id) and one.request_id == request_id)

    def cancel_owner(self, owner: str) -> None:
        """End the requests of a session."""
        self._stop(lambda one: one.owner == owner)

    def close(self) -> None:
        """End all requests and refuse new ones."""
        self._closed = True
        self._stop(lambda _one: True)

    def _stop(self, is_meant: Callable[[OpenCall], bool]) -> None:
        with self._lock:
            for one in self._open:
                if is_meant(one):
                    one.error = one.error or Cancelled()
