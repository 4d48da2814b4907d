"""Homes of networks, task heads and collections that sessions have made: each on one replica."""

from __future__ import annotations

from playground.engine.remote.calls import POLL_S, Calls, Route
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats
from playground.errors import PlaygroundError

_KEPT = 10_000


class Homes:
    """The replica of each thing of one kind.

    Args:
        routes, calls, seats: The replicas.
        info: Method that refuses ids which a replica does not know.
    """

    def __init__(self, routes: Routes, calls: Calls, seats: Seats, info: str) -> None:
        self._routes, self._calls, self._seats, self._info = routes, calls, seats, info
        self._homes: dict[str, tuple[Seat, str]] = {}

    def route(self, thing_id: str, *asks: str) -> Route:
        """The seat of a thing; where no replica knows it, one that says so.

        Args:
            thing_id: Id of the thing.
            asks: What `info` needs beside it: the session, where it tells others nothing.
        """
        seat, life = self._homes.get(thing_id, (None, ""))
        if seat is None or not seat.is_here or seat.life != life:
            seat = self._searched(thing_id, *asks)
        if seat is None:
            return self._routes.question(thing_id)
        found = seat
        return lambda _timeout_s: found

    def _searched(self, thing_id: str, *asks: str) -> Seat | None:
        for seat in self._seats.here(POLL_S):
            try:
                self._calls.of_all([seat], self._info, thing_id, *asks)
            except PlaygroundError:
                continue
            if len(self._homes) >= _KEPT:
                self._homes.clear()
            self._homes[thing_id] = seat, seat.life
            return seat
        return None
