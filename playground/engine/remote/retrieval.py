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
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes


class RemoteRetrieval:
    """The `Retrieval` of the replicas. See `contract.retrieval.Retrieval` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls

    def build(self, request: BuildRequest) -> str:
        """Begin to build a collection in the background; gives the id of the build."""
        route = self._routes.owner(request.owner)
        found: str = self._calls.value(route, "retrieval.build", request, owner=request.owner)
        return found

    def state(self, build_id: str, owner: str) -> Build | None:
        """State of a build of this session, None if it is not known."""
        found: Build | None = self._calls.value(self._routes.owner(owner), "retrieval.state", build_id, owner)
        return found

    def stop(self, build_id: str, owner: str) -> None:
        """Stop a build of this session within a batch of chunks."""
        self._calls.value(self._routes.owner(owner), "retrieval.stop", build_id, owner)

    def of(self, owner: str) -> list[CollectionInfo]:
        """The collections of a session, oldest first."""
        found: list[CollectionInfo] = self._calls.value(self._routes.owner(owner), "retrieval.of", owner)
        return found

    def info(self, collection_id: str, owner: str) -> CollectionInfo:
        """Facts about a collection that this session may search."""
        route = self._routes.owner(owner)
        found: CollectionInfo = self._calls.value(route, "retrieval.info", collection_id, owner)
        return found

    def content(self, collection_id: str, owner: str) -> Content:
        """All chunks and vectors of a collection."""
        route = self._routes.owner(owner)
        found: Content = self._calls.value(route, "retrieval.content", collection_id, owner)
        return found

    def remove(self, collection_id: str, owner: str) -> None:
        """Forget a collection of this session."""
        self._calls.value(self._routes.owner(owner), "retrieval.remove", collection_id, owner)

    def search(self, request: SearchRequest, on_wait: OnWait | None = None) -> Found:
        """The chunks that fit a query best, found by the database."""
        route = self._routes.owner(request.owner)
        found: Found = self._calls.answer(route, "retrieval.search", request, on_wait, kind="trace")
        return found

    def encode(self, request: EncodeRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of length 1. Shape [n_texts, d_vector]."""
        route = self._routes.request(request)
        found: NDArray[np.float32] = self._calls.answer(route, "retrieval.encode", request, on_wait)
        return found
