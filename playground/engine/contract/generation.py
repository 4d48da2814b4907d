"""The part of the engine contract that continues a text many times at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from playground.engine.contract.engine import GenerateRequest, GenerateStep, OnWait


@dataclass(frozen=True, slots=True)
class GenerateManyRequest:
    """Several continuations that share the batch.

    Attributes:
        model: Catalogue id, of all of them.
        requests: Each with its own text, settings and seed; their owner, topic and id count for nothing here.
        owner: The session that asks.
    """

    model: str
    requests: tuple[GenerateRequest, ...]
    owner: str = ""
    topic: str = "many"
    timeout_s: float | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)


class ManyEngine(Protocol):
    """The part of the engine that writes several texts at once."""

    def generate_many(
        self, request: GenerateManyRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(which continuation, its next step), as they are computed; closing the iterator stops all."""
        ...
