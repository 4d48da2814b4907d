"""The one thread that owns torch: forwards, scores and decode steps, one tick after another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import psutil
import torch

from playground.core.residual import Lens
from playground.core.trace import Trace
from playground.engine.base import GenerateRequest, GenerateStep
from playground.engine.cache import ByteCache
from playground.engine.decoding import DecodeBatch, DecodeRow
from playground.engine.forward import Capture, Row, run_traces
from playground.engine.lean import can_mix
from playground.engine.memory import is_out_of_memory
from playground.engine.scheduler import Job, Scheduler
from playground.engine.scores import Scores
from playground.engine.trainer import Trainer
from playground.errors import OutOfMemory
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TraceWork:
    """Payload of a trace job."""

    loaded: LoadedModel
    row: Row
    capture: Capture


class Work(Protocol):
    """Payload of any other job that is not decoding: it computes by itself."""

    @property
    def n_forwards(self) -> int:
        """How many forwards it runs."""

    def run(self) -> object:
        """Compute; called only from the engine's thread."""


@dataclass(frozen=True)
class DecodeWork:
    """Payload of a decode job."""

    loaded: LoadedModel
    request: GenerateRequest
    input_ids: tuple[int, ...]


@dataclass
class Counters:
    """What the model thread has done since the start; see `EngineStats`."""

    n_forwards: int = 0
    n_prefill_tokens: int = 0
    n_decode_steps: int = 0
    n_decoded_tokens: int = 0


class ModelThread(threading.Thread):
    """Each tick: one micro-batch of forwards, one chunk of texts to continue, one decode step for all rows.

    So a trace never waits longer than one tick and decoding never stalls longer than one forward. A training
    step lets ticks in between any two of its layers, as long as it keeps its share of the time.
    """

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        traces: ByteCache[Trace | Lens | Scores],
        trainer: Trainer,
    ) -> None:
        super().__init__(name="engine", daemon=True)
        self.counters = Counters()
        self._settings = settings
        self._scheduler = scheduler
        self._traces = traces
        self._trainer = trainer
        self._own_s = self._lent_s = self._mark = 0.0  # of a training step: its own time, and that of others
        self._batches: dict[Hashable, DecodeBatch] = {}  # of each group of decode jobs
        self._rows: dict[Job, DecodeRow] = {}

    @property
    def n_decoding(self) -> int:
        """Rows being continued."""
        return len(self._rows)

    @torch.no_grad()
    def run(self) -> None:
        """Work until the scheduler is closed."""
        torch.set_num_threads(self._settings.torch_threads or psutil.cpu_count(logical=False) or 1)
        while self._scheduler.wait(busy=lambda: bool(self._rows) or self._trainer.has_work):
            self._tick()
            self._own_s = self._lent_s = 0.0
            self._mark = time.monotonic()
            try:
                self._trainer.work(self._give_way)
            except Exception:  # whatever it is, the engine goes on
                log.exception("training failed outside a step")

    def _tick(self) -> None:
        batch = self._scheduler.next_batch()
        if batch:
            self._forward(batch)
        del batch
        self._decode()

    @torch.no_grad()
    def _give_way(self) -> None:
        """Between two layers of a training step: whoever waits, as long as training keeps its share."""
        now = time.monotonic()
        self._own_s += now - self._mark
        allowed_s = self._own_s * (1 / self._settings.training_share - 1)
        while self._lent_s < allowed_s and (self._scheduler.n_waiting or self._rows):
            self._tick()
            self._lent_s, now = self._lent_s + time.monotonic() - now, time.monotonic()
        self._mark = now

    # ---- forwards

    def _forward(self, jobs: Sequence[Job]) -> None:
        """Compute a batch; if it fails, halve it, so that a request that fails fails alone."""
        alive = [job for job in jobs if job.tickets]
        for job in jobs:
            if not job.tickets:
                self._scheduler.finish(job, None)
        if not alive:
            return
        try:
            results = self._compute(alive)
        except Exception as error:  # noqa: BLE001  (whatever the model raised goes to whoever asked for it)
            self._forward_failed(alive, error)
            return
        for job, result in zip(alive, results, strict=True):
            if isinstance(result, Trace):
                self._traces.put(job.key, result)
            self._scheduler.charge(job, job.n_tokens)
            self._scheduler.finish(job, result)

    def _forward_failed(self, jobs: Sequence[Job], error: Exception) -> None:
        if len(jobs) > 1:
            half = len(jobs) // 2
            self._forward(jobs[:half])
            self._forward(jobs[half:])
            return
        if is_out_of_memory(error):
            error = OutOfMemory()
        else:
            log.error("a request failed", exc_info=error)
        self._scheduler.finish(jobs[0], error)

    def _compute(self, jobs: Sequence[Job]) -> list[object]:
        self.counters.n_prefill_tokens += sum(job.n_tokens for job in jobs)
        first: TraceWork | Work = jobs[0].payload
        if isinstance(first, TraceWork):
            self.counters.n_forwards += 1
            return list(run_traces(first.loaded, [job.payload.row for job in jobs], first.capture))
        self.counters.n_forwards += sum(job.payload.n_forwards for job in jobs)
        return [job.payload.run() for job in jobs]

    # ---- decoding

    def _decode(self) -> None:
        for job, row in list(self._rows.items()):
            if not job.tickets:
                self._batch_of(job).remove(row)
                self._forget(job)
        self._admit()
        for batch in list(self._batches.values()):
            try:
                self._advance(batch)
            except Exception as error:  # noqa: BLE001  (a failed step ends its rows, not the engine)
                self._decode_failed(batch, error)
        self._batches = {key: batch for key, batch in self._batches.items() if batch.n_rows}

    def _admit(self) -> None:
        room = self._settings.max_decode_rows - len(self._rows)
        if room <= 0 or any(batch.is_reading for batch in self._batches.values()):
            return
        jobs = self._scheduler.next_rows(room)
        rows = [
            DecodeRow(job.payload.request, job.payload.input_ids, self._receiver(job), job.payload.loaded)
            for job in jobs
        ]
        self._rows.update(zip(jobs, rows, strict=True))
        if rows:
            self._batch_of(jobs[0]).admit(rows)

    def _advance(self, batch: DecodeBatch) -> None:
        if batch.is_reading:
            before = batch.n_prefill_tokens
            self.counters.n_forwards += 1
            batch.read()
            self.counters.n_prefill_tokens += batch.n_prefill_tokens - before
        if batch.rows:
            self.counters.n_forwards += 1
            self.counters.n_decode_steps += 1
            batch.step()

    def _receiver(self, job: Job) -> Callable[[GenerateStep | Exception], None]:
        return lambda step: self._emit(job, step)

    def _emit(self, job: Job, step: GenerateStep | Exception) -> None:
        """Pass one step, or the error that ends this row alone, on to whoever asked."""
        if isinstance(step, Exception):
            del self._rows[job]
            self._scheduler.finish(job, step)
            return
        self.counters.n_decoded_tokens += 1
        self._scheduler.charge(job, 1 if step.index else job.n_tokens)
        self._scheduler.send(job, step)
        if step.finish_reason is not None:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        self._rows.pop(job, None)
        self._scheduler.finish(job, None)

    def _decode_failed(self, batch: DecodeBatch, error: Exception) -> None:
        if is_out_of_memory(error):
            error = OutOfMemory()
        else:
            log.error("decoding failed", exc_info=error)
        gone = batch.clear()
        for job, row in list(self._rows.items()):
            if row in gone:
                del self._rows[job]
                self._scheduler.finish(job, error)

    def _batch_of(self, job: Job) -> DecodeBatch:
        """Rows of one base share a batch, whatever their adapters; see `GenerateRequest.alone`."""
        loaded = job.payload.loaded
        shared = id(loaded.tree) if can_mix(loaded.model) else id(loaded)
        key = job.group if job.payload.request.alone else shared
        if key not in self._batches:
            self._batches[key] = DecodeBatch(loaded, self._settings.prefill_chunk_tokens)
        return self._batches[key]
