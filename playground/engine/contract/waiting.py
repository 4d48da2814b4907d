"""Waiting for an answer: the place in the queue, told to the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.engine.contract.models import State
from playground.errors import Message


@dataclass(frozen=True, slots=True)
class Waiting:
    """Told to the waiting caller, in its own thread, some times a second.

    Attributes:
        position: Place in the queue, 1 = next; 0 = being computed.
        waited_s: Seconds since the request was made, or since it gave its last step.
        state: State of its model.
        message: Activity of the model while it is not ready; None when there is nothing to say.
        left_s: About how many seconds until it has been computed, at the engine's measured pace; None while
            that is not known.
    """

    position: int
    waited_s: float
    state: State
    message: Message | None = None
    left_s: float | None = None


OnWait = Callable[[Waiting], None]
