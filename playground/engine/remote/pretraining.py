"""Models trained from zero on the replicas: each is kept on that of its session, and ends with it.

Another replica that is asked about one has it sent once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.pretraining import MODEL_PREFIX, BitsRequest, BodyRequest, PretrainedInfo
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.homes import Homes
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats
from playground.errors import AdapterGone


class RemotePretraining:
    """The `Pretraining` of the replicas. See `contract.pretraining.Pretraining` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats) -> None:
        self._calls, self._seats = calls, seats
        self._homes = Homes(routes, calls, seats, "pretraining.info")

    def bring(self, model_id: str, seat: Seat) -> bool:
        """Send a model to a replica that lacks it; False if nobody has it."""
        base_id = model_id.partition("+")[0]
        if not base_id.startswith(MODEL_PREFIX):
            return False
        try:
            data, owners = self._calls.value(self._homes.route(base_id), "pretraining.sent", base_id)
        except AdapterGone:
            return False
        self._calls.value(lambda _timeout_s: seat, "pretraining.adopt", base_id, data, owners)
        return True

    def of(self, owner: str) -> list[PretrainedInfo]:
        """The models of a session, oldest first; one that several replicas hold is told once."""
        lists = self._calls.of_all(self._seats.here(POLL_S), "pretraining.of", owner)
        found = {info.model_id: info for infos in lists for info in infos}
        return sorted(found.values(), key=lambda info: info.run)

    def info(self, model_id: str) -> PretrainedInfo:
        """Facts about a model."""
        found: PretrainedInfo = self._calls.value(self._homes.route(model_id), "pretraining.info", model_id)
        return found

    def belongs(self, model_id: str, owner: str) -> bool:
        """True if a session may use the model; it may from now on where all others have left."""
        route = self._homes.route(model_id)
        found: bool = self._calls.value(route, "pretraining.belongs", model_id, owner)
        return found

    def remove(self, model_id: str, owner: str) -> None:
        """Delete a model of this session, everywhere."""
        self._calls.of_all(self._seats.here(POLL_S), "pretraining.remove", model_id, owner)

    def exported(self, model_id: str) -> bytes:
        """A model as a zip that transformers loads."""
        found: bytes = self._calls.value(self._homes.route(model_id), "pretraining.exported", model_id)
        return found

    def bits(self, request: BitsRequest, on_wait: OnWait | None = None) -> list[NDArray[np.float32]]:
        """Surprisal of every byte of each text, bits. Shape of each [byte]."""
        route = self._homes.route(request.model)
        found: list[NDArray[np.float32]] = self._calls.answer(
            route, "pretraining.bits", request, on_wait, kind="trace"
        )
        return found

    def body(self, request: BodyRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of texts. Shape [text, d_model]."""
        route = self._homes.route(request.model)
        found: NDArray[np.float32] = self._calls.answer(
            route, "pretraining.body", request, on_wait, kind="trace"
        )
        return found
