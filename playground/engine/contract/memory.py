"""The part of the engine contract about memory: sizes of a model, a real step measured, a real cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.memory import Method, ModelSizes
from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait

Phase = Literal["forward", "backward", "update"]
MAX_RANK = 64


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """Memory of the machine that computes.

    Attributes:
        total, free: Bytes of main memory that this process may have, and of them those that are free.
        device_total, device_free: Bytes of the device that models are on, 0 where that is the processor.
        device: Its name, as in `ModelInfo`.
    """

    total: int
    free: int
    device_total: int = 0
    device_free: int = 0
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class StepRequest(Asked):
    """A request for one real step on a copy, or with nothing left of it, whose memory is measured.

    Attributes:
        model: Catalogue id of a model without an adapter.
        method: Way it is used.
        batch, length: Texts, and tokens of each; together at most `prefill_chunk_tokens`.
        rank: Rank of LoRA.
    """

    method: Method = "full"
    batch: int = 1
    length: int = 64
    rank: int = 8
    topic: str = field(default="measured step", kw_only=True)


@dataclass(frozen=True, slots=True)
class MeasuredStep:
    """Memory of one real step.

    Attributes:
        method, batch, length, rank: As in the request.
        device, dtype: Device it ran on, and number format.
        n_trained: Numbers that it moved.
        weight_bytes, gradient_bytes, optimizer_bytes: Memory that these tensors hold.
        kept_bytes: Memory that the way there left for the way back.
        cache_bytes: Memory of keys and values, of an inference.
        peak_bytes: The most at any moment, with the weights.
        line: (milliseconds, bytes) through the step, at its changes; few points, the peak among them.
        phases: (phase, milliseconds at which it ends).
    """

    method: Method
    batch: int
    length: int
    rank: int
    device: str
    dtype: str
    n_trained: int
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    kept_bytes: int
    cache_bytes: int
    peak_bytes: int
    line: tuple[tuple[float, int], ...]
    phases: tuple[tuple[Phase, float], ...]


@dataclass(frozen=True, slots=True)
class CacheRequest(Asked):
    """A request for the memory of a real cache of keys and values after texts of some lengths.

    Attributes:
        model: Catalogue id of a decoder.
        lengths: Tokens, from short to long; at most `max_tokens`.
    """

    lengths: tuple[int, ...] = ()
    topic: str = field(default="measured cache", kw_only=True)


@dataclass(frozen=True, slots=True)
class MeasuredCache:
    """Memory of a real cache.

    Attributes:
        length: Tokens in it.
        n_bytes: Memory that its tensors hold.
    """

    length: int
    n_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class WeightRow:
    """One row of a matrix of a model, or a whole vector.

    Attributes:
        tensor: Name of the matrix, in the model's own words.
        shape: Its shape.
        row: Number of the row, 0 of a vector.
        values: Its numbers, float32. Shape [column].
        largest: Largest magnitude in the whole tensor.
    """

    tensor: str
    shape: tuple[int, ...]
    row: int
    values: NDArray[np.float32]
    largest: float


class Memory(Protocol):
    """The part of an engine that says what its models take."""

    def machine(self) -> MachineMemory:
        """Memory of the machine that computes."""
        ...

    def sizes(self, model: str, on_wait: OnWait | None = None) -> ModelSizes:
        """Sizes of a model, counted on the model in memory."""
        ...

    def step(self, request: StepRequest, on_wait: OnWait | None = None) -> MeasuredStep:
        """One real step, measured; the model itself is untouched.

        Raises:
            BadValue: A setting is out of range.
            Unsupported: The model has two stacks or an adapter, or memory of its device cannot be counted.
            NoRoom: The machine has too little memory free for it.
            ModelError, BusyError.
        """
        ...

    def caches(self, request: CacheRequest, on_wait: OnWait | None = None) -> Iterator[MeasuredCache]:
        """The cache of one text that grows, length by length; closing the iterator stops it.

        Raises:
            BadValue: A length is out of range, or not longer than the one before.
            Unsupported: The model keeps no keys and values.
            ModelError, BusyError.
        """
        ...

    def row(self, model: str, tensor: str, row: int) -> WeightRow:
        """One row of a tensor of a model in memory.

        Raises:
            BadValue: It has no such tensor, or that no such row.
        """
        ...
