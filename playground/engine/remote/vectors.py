"""Vectors of the models of the replicas."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.engine.contract.models import AdapterName
from playground.engine.contract.vectors import TextRead, TracesRequest
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes

_KEPT_TABLES = 2  # in shared memory, 113 MB of SmolLM2


class RemoteVectors:
    """The part of `RayEngine` that gives vectors. See `contract.vectors.Vectors` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, EmbeddingTable] = OrderedDict()

    def embedding_table(self, model: str, on_wait: OnWait | None = None) -> EmbeddingTable:
        """The input embedding matrix of a model, the same memory for every caller."""
        base = AdapterName.of(model).base_id
        with self._lock:
            known = self._tables.get(base)
        if known is None:
            route = self._routes.model(base)
            known = self._calls.about(route, "vectors.embedding_table", base, on_wait)
            with self._lock:
                self._tables[base] = known
                while len(self._tables) > _KEPT_TABLES:
                    self._tables.popitem(last=False)
        return known

    def untrained_vectors(self, n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
        """The weights a new embedding layer starts with. Shape [n_vectors, d_model]."""
        asked = n_vectors, d_model, seed
        found: NDArray[np.float32] = self._calls.value(
            self._routes.question(*asked), "vectors.untrained_vectors", *asked
        )
        return found

    def traces(self, request: TracesRequest, on_wait: OnWait | None = None) -> Iterator[TextRead]:
        """(place in `texts`, its trace or why it cannot be read), in the order they are ready."""
        route = self._routes.request(request)
        return self._calls.items(route, "vectors.traces", request, on_wait, by_place=True)
