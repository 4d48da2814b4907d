"""Many devices: bytes of weights, gradients and optimizer states on each, and bytes that each sends a step.

Mixed precision with Adam, as in the ZeRO paper: weights and gradients have 2 bytes per parameter, states 12.
Activations come on top. No speed is predicted: that depends on the wires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Scheme = Literal["data", "zero1", "zero2", "zero3", "tensor", "pipeline"]
SCHEMES: tuple[Scheme, ...] = ("data", "zero1", "zero2", "zero3", "tensor", "pipeline")
WEIGHT, GRADIENT, STATES = 2, 2, 12  # bytes a parameter
NUMBER = 2  # bytes of what travels
# The scheme divides: weights, gradients, states.
_DIVIDES: Mapping[Scheme, tuple[bool, bool, bool]] = MappingProxyType(
    {
        "data": (False, False, False),
        "zero1": (False, False, True),
        "zero2": (False, True, True),
        "zero3": (True, True, True),
        "tensor": (True, True, True),
        "pipeline": (True, True, True),
    }
)
PAPERS: Mapping[Scheme, str] = MappingProxyType(
    {
        "data": "Patarasuk & Yuan 2009 (ring all-reduce)",
        "zero1": "Rajbhandari et al. 2020, ZeRO, 5.1",
        "zero2": "Rajbhandari et al. 2020, ZeRO, 5.2",
        "zero3": "Rajbhandari et al. 2020, ZeRO, 5.3, 7.2",
        "tensor": "Shoeybi et al. 2019, Megatron-LM, 3",
        "pipeline": "Huang et al. 2019, GPipe, 2.3",
    }
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is trained on several devices.

    Attributes:
        n_parameters, n_layer, d_model: Its sizes.
        n_tokens: Tokens of a step on each device that has texts of its own.
    """

    n_parameters: int
    n_layer: int
    d_model: int
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Device:
    """One of the devices.

    Attributes:
        weights, gradients, states: Bytes on it.
        sent: Bytes that it sends a step.
    """

    weights: float
    gradients: float
    states: float
    sent: float

    @property
    def total(self) -> float:
        """Bytes on it."""
        return self.weights + self.gradients + self.states


def device(model: Trained, scheme: Scheme, n_devices: int) -> Device:
    """Memory and traffic of each device; of a pipeline, of one in its middle, which has at least one layer.

    Args:
        model: The model.
        scheme: Way to share the work.
        n_devices: Number of devices.

    Source:
        Rajbhandari et al. 2020, arXiv:1910.02054, figure 1 and sections 5 and 7: with all parameters in an
        all-reduce 2 (n-1)/n numbers a parameter are sent, with ZeRO-3 3 (n-1)/n.
        Shoeybi et al. 2019, arXiv:1909.08053, section 3: four all-reduces of the states a layer and step.
        Huang et al. 2019, arXiv:1811.06965, section 2.3: states at the borders alone, there and back.

    Example:
        >>> zero = Trained(7_500_000_000, 1, 1, 1)
        >>> [round(device(zero, scheme, 64).total / 1e9, 1) for scheme in ("data", "zero1", "zero2", "zero3")]
        [120.0, 31.4, 16.6, 1.9]
    """
    n = model.n_parameters
    n_parts = min(n_devices, model.n_layer) if scheme == "pipeline" else n_devices  # a layer is one part
    shares = [1 / n_parts if is_divided else 1.0 for is_divided in _DIVIDES[scheme]]
    held = [n * size * share for size, share in zip((WEIGHT, GRADIENT, STATES), shares, strict=True)]
    return Device(held[0], held[1], held[2], _sent(model, scheme, n_devices))


def _sent(model: Trained, scheme: Scheme, n_devices: int) -> float:
    if n_devices == 1:
        return 0.0
    ring = (n_devices - 1) / n_devices
    states = model.n_tokens * model.d_model * NUMBER
    if scheme == "tensor":
        return 4 * model.n_layer * 2 * ring * states
    if scheme == "pipeline":
        return 2.0 * states if n_devices > 2 else 1.0 * states
    return (3 if scheme == "zero3" else 2) * ring * model.n_parameters * NUMBER


def fewest(model: Trained, scheme: Scheme, room: float, most: int = 1 << 20) -> int | None:
    """The fewest devices of so many bytes on which a scheme fits; None where no number does.

    Example:
        >>> fewest(Trained(7_500_000_000, 1, 1, 1), "zero3", 16e9)
        8
        >>> fewest(Trained(7_500_000_000, 1, 1, 1), "data", 16e9) is None
        True
    """
    low, high = 1, most
    if device(model, scheme, high).total > room:
        return None
    while low < high:
        middle = (low + high) // 2
        if device(model, scheme, middle).total <= room:
            high = middle
        else:
            low = middle + 1
    return low
