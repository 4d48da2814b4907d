"""Numbers on the screen that the tasks ask about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Shown:
    """Numbers on the screen; empty until they are there.

    Attributes:
        activation_share: Share of the activations in all parts together.
        number: The number whose bits are shown.
    """

    activation_share: float | None = None
    number: float | None = None
