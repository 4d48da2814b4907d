"""Interventions in one forward pass: heads switched off, states replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ablation = Literal["zero", "mean"]


@dataclass(frozen=True, slots=True)
class ActivationPatch:
    """A state of the residual stream, put in the place of another one.

    Attributes:
        layer: The block that reads it, 0 = the first.
        position: Index of the token whose state it replaces.
        state: float32 numbers, length 4 * d_model; see `patch`.

    Source:
        Meng et al. 2022, "Locating and Editing Factual Associations in GPT", arXiv:2202.05262, section 2.1.
    """

    layer: int
    position: int
    state: bytes


def patch(layer: int, position: int, state: NDArray[np.float32]) -> ActivationPatch:
    """A patch from a vector.

    Args:
        layer: The block that reads it, 0 = the first.
        position: Index of the token whose state it replaces.
        state: The state. Shape [d_model].
    """
    return ActivationPatch(layer, position, np.ascontiguousarray(state, dtype=np.float32).tobytes())


@dataclass(frozen=True, slots=True)
class Intervention:
    """Changes of one forward pass; equal interventions are equal computations.

    Attributes:
        heads: (layer, head) of every head whose output is replaced.
        ablation: The replacement: "zero", or "mean", that head's mean output over the positions of this text.
        patches: States replaced before a block reads them.

    Source:
        Zero and mean ablation: Michel et al. 2019, arXiv:1905.10650, section 2; Wang et al. 2022,
        arXiv:2211.00593, section 3 (mean; there over many texts).
    """

    heads: tuple[tuple[int, int], ...] = ()
    ablation: Ablation = "zero"
    patches: tuple[ActivationPatch, ...] = ()
