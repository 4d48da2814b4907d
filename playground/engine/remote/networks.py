"""Networks trained on the replicas: each is on that of the session that trained it, and ends with it."""

from __future__ import annotations

from collections.abc import Iterator

from playground.engine.contract.networks import (
    CostRequest,
    ExactRequest,
    GradientRequest,
    InputGradients,
    LengthCount,
    NetworkInfo,
    StepCost,
    Unrolled,
    UnrollRequest,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.homes import Homes
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seats


class RemoteNetworks:
    """The `Networks` of the replicas. See `contract.networks.Networks` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats) -> None:
        self._routes, self._calls, self._seats = routes, calls, seats
        self._homes = Homes(routes, calls, seats, "networks.info")

    def shipped(self) -> tuple[NetworkInfo, ...]:
        """The networks that come with the playground."""
        route = self._routes.question("networks")
        found: tuple[NetworkInfo, ...] = self._calls.value(route, "networks.shipped")
        return found

    def of(self, owner: str) -> list[NetworkInfo]:
        """The networks of a session, oldest first."""
        lists = self._calls.of_all(self._seats.here(POLL_S), "networks.of", owner)
        return [info for infos in lists for info in infos]

    def info(self, network_id: str) -> NetworkInfo:
        """Facts about a network."""
        found: NetworkInfo = self._calls.value(self._homes.route(network_id), "networks.info", network_id)
        return found

    def belongs(self, network_id: str, owner: str) -> bool:
        """True if a session may use the network; it may from now on where all others have left."""
        route = self._homes.route(network_id)
        found: bool = self._calls.value(route, "networks.belongs", network_id, owner)
        return found

    def remove(self, network_id: str, owner: str) -> None:
        """Delete a network of this session."""
        self._calls.of_all(self._seats.here(POLL_S), "networks.remove", network_id, owner)

    def exported(self, network_id: str) -> bytes:
        """A network as a safetensors file."""
        found: bytes = self._calls.value(self._homes.route(network_id), "networks.exported", network_id)
        return found

    def unroll(self, request: UnrollRequest, on_wait: OnWait | None = None) -> Unrolled:
        """All states over one source."""
        route = self._homes.route(request.model)
        found: Unrolled = self._calls.answer(route, "networks.unroll", request, on_wait, kind="trace")
        return found

    def gradients(self, request: GradientRequest, on_wait: OnWait | None = None) -> InputGradients:
        """Effect of each character of the source on one output."""
        route = self._homes.route(request.model)
        found: InputGradients = self._calls.answer(
            route, "networks.gradients", request, on_wait, kind="trace"
        )
        return found

    def exact(self, request: ExactRequest, on_wait: OnWait | None = None) -> Iterator[LengthCount]:
        """Exact match length by length, in their order."""
        return self._calls.items(self._homes.route(request.model), "networks.exact", request, on_wait)

    def costs(self, request: CostRequest, on_wait: OnWait | None = None) -> Iterator[StepCost]:
        """Cost of one more step length by length, measured now."""
        return self._calls.items(self._homes.route(request.model), "networks.costs", request, on_wait)
