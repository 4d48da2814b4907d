"""Messages between a web process and a replica: one call, and what comes back of it, in plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from playground.core.lora import LoraConfig
from playground.engine.contract.adapters import Method
from playground.engine.contract.training import FinetuneSettings, TrainingState
from playground.engine.contract.waiting import Waiting

# Beside `Engine`'s own methods those of its parts; nothing else of a replica can be called.
PARTS = (
    "inside", "vectors", "tokenizers", "adapters", "training", "networks", "task_heads", "retrieval",
    "pretraining", "memory", "quantization", "preferences",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a replica's engine to be called.

    Attributes:
        method: Its name, with that of its part before a dot.
        args, named: Its arguments.
        tells_waits: True if the method tells a waiting caller where it stands.
        owner: The session it is for, "" for nobody's.
        web: The web process that asks.
        call_id: For `Replica.cancel`.
    """

    method: str
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    tells_waits: bool = False
    owner: str = ""
    web: str = ""
    call_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One message of an answer: what has come since the last one.

    Attributes:
        items: Results; of a method that gives no iterator exactly one, in the last message.
        waiting: Place of the request, while it has nothing; None where that has not changed.
        is_last: True if nothing follows.
        error: Reason why nothing follows.
    """

    items: tuple[Any, ...] = ()
    waiting: Waiting | None = None
    is_last: bool = False
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """An adapter that any replica can serve.

    Attributes:
        adapter_id: Its id without that of its base.
        base_id: Model that it changes.
        name, step, run, lora, method, settings: As in `Adapter`.
        peft: The adapter as peft writes it, a zip.
        owners: The sessions it belongs to.
    """

    adapter_id: str
    base_id: str
    name: str
    step: int
    run: int
    lora: LoraConfig
    method: Method
    settings: FinetuneSettings | None
    peft: bytes
    owners: tuple[str, ...]

    @property
    def model_id(self) -> str:
        """Id by which an engine uses it."""
        return f"{self.base_id}+{self.adapter_id}"


@dataclass(frozen=True, slots=True)
class News:
    """Something that a replica tells by itself, so that it outlives the replica.

    Attributes:
        state: Progress of a run, for its session's web process; None for an adapter that was made.
        owner: The session.
        adapter: An adapter that was made, or what the run had learned when it was best so far.
    """

    owner: str
    state: TrainingState | None = None
    adapter: Published | None = None
