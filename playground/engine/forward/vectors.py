"""Vectors of many texts: nothing else of their forward pass is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.sentences import sentence_vector
from playground.engine.contract.traces import Capture
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.models.loaded import LoadedModel


@dataclass(frozen=True)
class VectorsWork:
    """Payload of the job of some texts; its result is a vector of length 1 of each, Shape [d_model]."""

    loaded: LoadedModel
    rows: tuple[InputRow, ...]
    n_forwards: int = 1

    def run(self) -> list[NDArray[np.float32]]:
        """One forward of all rows."""
        capture = Capture(hidden_states=(self.loaded.info.n_layer,))
        return [sentence_vector(trace) for trace in run_traces(self.loaded, self.rows, capture)]
