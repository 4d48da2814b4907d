"""The part of `LocalEngine` that answers questions about a model's weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.core.positions import PositionScheme
from playground.core.residual import Unembedding
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.inside import Part
from playground.engine.forward.positions import position_scheme
from playground.engine.forward.weights import head_output, parts, unembedding


class LocalWeights:
    """The part of `LocalEngine` that reads weights. See `InsideEngine` for the contract."""

    adapters: AdapterTable

    def positions(self, model: str) -> PositionScheme:
        """The position encoding of a model that is in memory."""
        return position_scheme(self.adapters.load(model).result())

    def unembedding(self, model: str, token_ids: tuple[int, ...]) -> Unembedding:
        """The final norm, and the head's rows of these tokens."""
        return unembedding(self.adapters.load(model).result(), token_ids)

    def head_output(self, model: str, layer: int, head: int) -> NDArray[np.float32]:
        """The head's part of W_O, from its mixed values to the residual stream. Shape [d_head, d_model]."""
        return head_output(self.adapters.load(model).result(), layer, head)

    def parts(self, model: str) -> tuple[Part, ...]:
        """The parts of a model, in the order a token meets them."""
        return parts(self.adapters.load(model).result())
