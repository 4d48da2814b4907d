"""Remedies against forgetting, of runs that train LoRA: what may be asked, and what is measured beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from playground.core.forgetting import n_old_rows

Kind = Literal["none", "rehearsal", "l2sp", "ewc"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that a run does against forgetting.

    none        the new rows alone
    rehearsal   old rows are mixed into every batch; `strength` is their share of the goal
    l2sp        strength / 2 · Σ ΔW² is added to the loss: distance to the start
    ewc         strength / 2 · Σ F ΔW² is added: the same, each weight by its Fisher information of old texts

    ΔW is the change of the weights, s·B·A, of all layers that are trained.

    Attributes:
        kind: The remedy.
        strength: Share of the old rows, or factor of the distance; 0 where there is no remedy.
        LIMITS: Kind -> the least and the most strength.

    Source:
        Xuhong et al. 2018, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks",
        arXiv:1802.01483, eq. 2 (L2-SP). Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in
        neural networks", arXiv:1612.00796, eq. 3 (EWC). Robins 1995, "Catastrophic forgetting, rehearsal
        and pseudorehearsal".
    """

    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = MappingProxyType(
        {"none": (0.0, 0.0), "rehearsal": (0.05, 0.9), "l2sp": (1e-6, 1e6), "ewc": (1e-6, 1e9)}
    )

    kind: Kind = "none"
    strength: float = 0.0

    @classmethod
    def of(cls, kind: str, strength: float) -> Remedy:
        """The remedy of this name; none where a way to train has none, as a smaller rank."""
        found: Kind = next((one for one in get_args(Kind) if one == kind), "none")
        return cls(found, strength if found != "none" else 0.0)

    @property
    def needs_old(self) -> bool:
        """True if it reads old texts."""
        return self.kind in ("rehearsal", "ewc")

    def n_old(self, n_new: int) -> int:
        """Old rows that are mixed into a batch of so many new ones; none with a share that cannot be."""
        low, high = self.LIMITS["rehearsal"]
        is_share = self.kind == "rehearsal" and low <= self.strength <= high
        return n_old_rows(n_new, self.strength) if is_share else 0
