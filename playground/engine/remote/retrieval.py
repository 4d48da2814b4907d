"""Collections on the replicas: each is on that of the session that built it, and ends with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.retrieval import (
    Build,
    BuildRequest,
    CollectionInfo,
    Content,
    EncodeRequest,
    Found,
    SearchRequest,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.homes import Homes
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats

_KEPT_BUILDS = 1_000


class RemoteRetrieval:
    """The `Retrieval` of the replicas. See `contract.retrieval.Retrieval` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats) -> None:
        self._routes, self._calls, self._seats = routes, calls, seats
        self._homes = Homes(routes, calls, seats, "retrieval.info")
        self._builds: dict[str, Seat] = {}

    def build(self, request: BuildRequest) -> str:
        """Begin to build a collection in the background; gives the id of the build."""
        route = self._routes.owner(request.owner)
        if request.is_shared:  # built once, on one replica
            route = self._routes.question(request.model, request.documents)
        seat = route(POLL_S)
        build_id: str = self._calls.value(
            lambda _timeout_s: seat, "retrieval.build", request, owner=request.owner
        )
        if len(self._builds) >= _KEPT_BUILDS:
            self._builds.pop(next(iter(self._builds)))
        self._builds[build_id] = seat
        return build_id

    def state(self, build_id: str, owner: str) -> Build | None:
        """State of a build of this session, None if it is not known."""
        found = self._calls.of_all(self._seats_of(build_id), "retrieval.state", build_id, owner)
        return next((build for build in found if build is not None), None)

    def stop(self, build_id: str, owner: str) -> None:
        """Stop a build of this session within a batch of chunks."""
        self._calls.of_all(self._seats_of(build_id), "retrieval.stop", build_id, owner)

    def _seats_of(self, build_id: str) -> list[Seat]:
        seat = self._builds.get(build_id)
        return [seat] if seat is not None else self._seats.here(POLL_S)

    def of(self, owner: str) -> list[CollectionInfo]:
        """The collections of a session, oldest first."""
        lists = self._calls.of_all(self._seats.here(POLL_S), "retrieval.of", owner)
        return [info for infos in lists for info in infos]

    def info(self, collection_id: str, owner: str) -> CollectionInfo:
        """Facts about a collection that this session may search."""
        route = self._homes.route(collection_id, owner)
        found: CollectionInfo = self._calls.value(route, "retrieval.info", collection_id, owner)
        return found

    def content(self, collection_id: str, owner: str) -> Content:
        """All chunks and vectors of a collection."""
        route = self._homes.route(collection_id, owner)
        found: Content = self._calls.value(route, "retrieval.content", collection_id, owner)
        return found

    def remove(self, collection_id: str, owner: str) -> None:
        """Forget a collection of this session."""
        route = self._homes.route(collection_id, owner)
        self._calls.value(route, "retrieval.remove", collection_id, owner)

    def search(self, request: SearchRequest, on_wait: OnWait | None = None) -> Found:
        """The chunks that fit a query best, found by the database."""
        route = self._homes.route(request.collection, request.owner)
        found: Found = self._calls.answer(route, "retrieval.search", request, on_wait, kind="trace")
        return found

    def encode(self, request: EncodeRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of length 1. Shape [n_texts, d_vector]."""
        route = self._routes.request(request)
        found: NDArray[np.float32] = self._calls.answer(route, "retrieval.encode", request, on_wait)
        return found
