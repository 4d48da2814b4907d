"""Quantized copies of the models of the replicas."""

from __future__ import annotations

from collections.abc import Iterator

from playground.engine.contract.quantization import (
    Matrix,
    MatrixWeights,
    QuantizedModel,
    QuantizeRequest,
    Quantizing,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes


class RemoteQuantization:
    """The `Quantization` of the replicas. See `contract.quantization.Quantization` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls

    def matrices(self, model: str, whole: bool = False) -> tuple[Matrix, ...]:
        """The matrices of a model that a request would quantize, in the model's order."""
        route = self._routes.model(model)
        found: tuple[Matrix, ...] = self._calls.value(
            route, "quantization.matrices", model, whole, model=model
        )
        return found

    def weights(self, model: str, name: str) -> MatrixWeights:
        """Weights of a matrix, its first rows."""
        route = self._routes.model(model)
        found: MatrixWeights = self._calls.value(route, "quantization.weights", model, name, model=model)
        return found

    def quantize(
        self, request: QuantizeRequest, on_wait: OnWait | None = None
    ) -> Iterator[Quantizing | QuantizedModel]:
        """Progress, and at last the result; from the replica of the model, so that equal ones share it."""
        route = self._routes.model(request.model)
        return self._calls.items(route, "quantization.quantize", request, on_wait, kind="trace")
