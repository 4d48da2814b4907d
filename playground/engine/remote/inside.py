"""Inside the models of the replicas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from playground.core.positions import PositionScheme
from playground.core.residual import Lens, Unembedding
from playground.engine.contract.inside import Ablated, AblationsRequest, LensRequest, Part
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import Calls
from playground.engine.remote.routes import Routes


class RemoteInside:
    """The part of `RayEngine` that looks inside. See `contract.inside.Inside` for the contract."""

    def __init__(self, routes: Routes, calls: Calls) -> None:
        self._routes, self._calls = routes, calls

    def lens(self, request: LensRequest, on_wait: OnWait | None = None) -> Lens:
        """The logit lens: the model's answer if it stopped after each layer."""
        route = self._routes.request(request)
        found: Lens = self._calls.answer(route, "inside.lens", request, on_wait, kind="trace")
        return found

    def ablations(self, request: AblationsRequest, on_wait: OnWait | None = None) -> Iterator[Ablated]:
        """Every head switched off alone, chunk by chunk."""
        return self._calls.items(self._routes.request(request), "inside.ablations", request, on_wait)

    def unembedding(self, model: str, token_ids: tuple[int, ...]) -> Unembedding:
        """The final norm, and the head's rows of these tokens."""
        route = self._routes.model(model)
        found: Unembedding = self._calls.value(route, "inside.unembedding", model, token_ids, model=model)
        return found

    def head_output(self, model: str, layer: int, head: int) -> NDArray[np.float32]:
        """The head's part of W_O, from its mixed values to the residual stream. Shape [d_head, d_model]."""
        route = self._routes.model(model)
        found: NDArray[np.float32] = self._calls.value(
            route, "inside.head_output", model, layer, head, model=model
        )
        return found

    def parts(self, model: str) -> tuple[Part, ...]:
        """The parts of a model, in the order a token meets them."""
        found: tuple[Part, ...] = self._calls.value(
            self._routes.model(model), "inside.parts", model, model=model
        )
        return found

    def positions(self, model: str) -> PositionScheme:
        """The position encoding of a model."""
        found: PositionScheme = self._calls.value(
            self._routes.model(model), "inside.positions", model, model=model
        )
        return found
