"""Memory of the models of this process: sizes, a real step and a real cache measured, rows of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch

from playground.core.memory import METHODS, ModelSizes, budget
from playground.engine.contract.asked import Asked
from playground.engine.contract.limits import check_limits
from playground.engine.contract.memory import (
    MAX_RANK,
    CacheRequest,
    MachineMemory,
    MeasuredCache,
    MeasuredStep,
    StepRequest,
    WeightRow,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.local.ask import Backend
from playground.engine.models.loaded import LoadedModel
from playground.engine.scheduling.jobs import More
from playground.engine.training.measured_step import StepWork, held, tensors_of
from playground.engine.training.sizes import sizes_of
from playground.errors import BadValue, Message, TooLittleMemory, Unsupported

RESERVE = 0.1  # of the free memory that a step leaves to others
MB = 10**6
CGROUP = Path("/sys/fs/cgroup")


class LocalMemory:
    """The part of `LocalEngine` about memory. See `contract.memory.Memory` for the contract."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def machine(self) -> MachineMemory:
        """Memory of this machine."""
        device = torch.device("cpu")
        if self._backend.settings.device != "cpu" and torch.cuda.is_available():
            device = torch.device("cuda")
        return machine_memory(device)

    def sizes(self, model: str, on_wait: OnWait | None = None) -> ModelSizes:
        """Sizes of a model, counted on the model in memory."""
        with self._backend.ask(Asked(model), "trace", on_wait) as ask:
            return sizes_of(ask.loaded)

    def step(self, request: StepRequest, on_wait: OnWait | None = None) -> MeasuredStep:
        """One real step, measured; the model itself is untouched."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            self._check(request, ask.loaded)
            n_tokens = request.batch * request.length
            key = (
                "measured step",
                id(ask.loaded),
                request.method,
                request.batch,
                request.length,
                request.rank,
            )
            return ask.compute(StepWork(ask.loaded, request), 3 * n_tokens, key=key)

    def _check(self, request: StepRequest, loaded: LoadedModel) -> None:
        settings = self._backend.settings
        if request.method not in METHODS:
            raise BadValue(name="method", value=request.method, allowed=", ".join(METHODS))
        most = settings.prefill_chunk_tokens
        longest = min(most, loaded.info.n_ctx or most)
        check_limits(
            {
                "batch": (request.batch, 1, most),
                "length": (request.length, 2, longest),
                "rank": (request.rank, 1, MAX_RANK),
            }
        )
        check_limits({"batch · length": (request.batch * request.length, 2, most)})
        if loaded.info.kind == "encoder-decoder":
            able = Message("step to measure here, as it has two stacks")
            raise Unsupported(model_id=loaded.info.model_id, capability=able)
        self._check_room(request, loaded)

    def _check_room(self, request: StepRequest, loaded: LoadedModel) -> None:
        """Refuse a step that the machine may have no room for beside the model that is in memory."""
        sizes, machine = sizes_of(loaded), machine_memory(loaded.device)
        found = budget(sizes, request.method, "float32", request.rank)
        needed = found.total(request.batch, request.length)
        if request.method != "full":  # nothing of the model is copied
            needed -= sizes.weight_bytes
        free = machine.device_free if machine.device_total else machine.free
        if needed > free * (1 - RESERVE):
            raise TooLittleMemory(needed_mb=round(needed / MB), free_mb=round(free / MB))

    def caches(self, request: CacheRequest, on_wait: OnWait | None = None) -> Iterator[MeasuredCache]:
        """The cache of one text that grows, length by length."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            loaded, lengths = ask.loaded, request.lengths
            if loaded.info.kind != "decoder":
                able = Message("cache of keys and values that grows with what is written")
                raise Unsupported(model_id=loaded.info.model_id, capability=able)
            longest = min(self._backend.settings.max_tokens, loaded.info.n_ctx)
            check_limits({"lengths": (len(lengths), 1, longest)})
            for before, length in zip((0, *lengths), lengths, strict=False):
                check_limits({"length": (length, before + 1, longest)})
            work = _CacheWork(loaded, lengths)
            yield from ask.steps(work, lengths[0], keeps=True)

    def row(self, model: str, tensor: str, row: int) -> WeightRow:
        """One row of a tensor of a model in memory."""
        loaded = self._backend.models.load(model).result()
        parameters = dict(loaded.model.named_parameters())
        if tensor not in parameters:
            raise BadValue(name="tensor", value=tensor[:80], allowed=", ".join(list(parameters)[:4]) + ", …")
        values = parameters[tensor].detach()
        matrix = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(1, -1)
        check_limits({"row": (row, 0, len(matrix) - 1)})
        largest = max(abs(float(end)) for end in values.aminmax())  # of all of it, without a copy
        numbers = matrix[row].float().cpu().numpy().copy()
        return WeightRow(tensor, tuple(values.shape), row, numbers, largest)


@dataclass
class _CacheWork:
    """Payload of a job that reads a text piece by piece and tells the bytes of its cache after each."""

    loaded: LoadedModel
    lengths: tuple[int, ...]
    n_forwards: int = 1
    _cache: Any = field(default=None, repr=False)
    _n_read: int = 0
    _done: int = 0

    def run(self) -> MeasuredCache | More:
        """Read on to the next length."""
        length = self.lengths[self._done]
        n_new = length - self._n_read
        ids = torch.full((1, n_new), self.loaded.info.d_vocab // 2, device=self.loaded.device)
        found = self.loaded.model.base_model(input_ids=ids, past_key_values=self._cache, use_cache=True)
        self._cache, self._n_read = found.past_key_values, length
        self._done += 1
        measured = MeasuredCache(length, held(tensors_of(self._cache)))
        if self._done == len(self.lengths):
            self._cache = None
            return measured
        return More(measured, self.lengths[self._done] - length)


def machine_memory(device: torch.device) -> MachineMemory:
    """Memory of the machine, or of the container that this process is in, and of a GPU.

    Args:
        device: The device that models are on.
    """
    memory = psutil.virtual_memory()
    total, free = int(memory.total), int(memory.available)
    if (most := _number(CGROUP / "memory.max")) is not None and most < total:
        used = _number(CGROUP / "memory.current") or 0
        total, free = most, min(free, most - used)
    if device.type != "cuda":
        return MachineMemory(total, free, device=str(device))
    device_free, device_total = torch.cuda.mem_get_info(device)
    return MachineMemory(total, free, int(device_total), int(device_free), str(device))


def _number(path: Path) -> int | None:
    """A number of the system's, None where it is not there or says that there is no limit."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
