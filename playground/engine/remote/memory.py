"""Memory of the models of the replicas, measured where a model is."""

from __future__ import annotations

from collections.abc import Iterator

from playground.core.memory import ModelSizes
from playground.engine.contract.memory import (
    CacheRequest,
    MachineMemory,
    MeasuredCache,
    MeasuredStep,
    StepRequest,
    WeightRow,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes


class RemoteMemory:
    """The part of `RayEngine` about memory. See `contract.memory.Memory` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls

    def machine(self) -> MachineMemory:
        """Memory of the machine of a replica."""
        found: MachineMemory = self._calls.value(self._routes.question("memory"), "memory.machine")
        return found

    def sizes(self, model: str, on_wait: OnWait | None = None) -> ModelSizes:
        """Sizes of a model, counted on the model in memory."""
        found: ModelSizes = self._calls.about(self._routes.model(model), "memory.sizes", model, on_wait)
        return found

    def step(self, request: StepRequest, on_wait: OnWait | None = None) -> MeasuredStep:
        """One real step, measured; the model itself is untouched."""
        route = self._routes.model(request.model)
        found: MeasuredStep = self._calls.answer(route, "memory.step", request, on_wait, kind="trace")
        return found

    def caches(self, request: CacheRequest, on_wait: OnWait | None = None) -> Iterator[MeasuredCache]:
        """The cache of one text that grows, length by length."""
        return self._calls.items(self._routes.model(request.model), "memory.caches", request, on_wait)

    def row(self, model: str, tensor: str, row: int) -> WeightRow:
        """One row of a tensor of a model in memory."""
        found: WeightRow = self._calls.value(
            self._routes.model(model), "memory.row", model, tensor, row, model=model
        )
        return found
