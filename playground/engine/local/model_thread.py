"""The one thread that owns torch: forwards, scores and decode steps, one tick after another."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch

from playground.core.byte_cache import ByteCache
from playground.core.residual import Lens
from playground.core.trace import Trace
from playground.engine.contract.filling import Filled
from playground.engine.contract.generation import GenerateStep
from playground.engine.contract.scores import Scores
from playground.engine.decoding.batch import DecodeBatch
from playground.engine.decoding.llama_step import can_mix
from playground.engine.decoding.product_times import n_threads
from playground.engine.decoding.products import Products
from playground.engine.decoding.row import DecodeRow, DecodeWork
from playground.engine.decoding.target_batch import decode_batch
from playground.engine.forward.after import run_after
from playground.engine.forward.traces import TraceWork, run_traces
from playground.engine.local.told import told_of
from playground.engine.models.loaded import LoadedModel
from playground.engine.scheduling.jobs import Job, More, Work
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.training.trainer import Trainer
from playground.errors import PlaygroundError
from playground.settings import Settings

QUIET_S = 1.0  # without a request, until the products of a decode step are timed
PAUSE_S = 0.1  # so that an error that stays does not fill the log
MOST_CREDIT_S = 2.0  # however long nobody wanted the time that training left, or a tick lasted
MOST_SHARE = 0.9  # of training, so that others have a turn at last
FORWARD_TOKENS = 12.0  # a forward pass of one token takes about the time of so many in a long one


@dataclass
class Counters:
    """Counters of the model thread since the start; see `EngineStats`."""

    n_restarts: int = 0
    n_forwards: int = 0
    n_prefill_tokens: int = 0
    n_decode_steps: int = 0
    n_decoded_tokens: int = 0


class ModelThread(threading.Thread):
    """Each tick: one micro-batch of forwards, one chunk of texts to continue, one decode step for all rows.

    A trace never waits longer than one tick. Two forwards go before a decode step while more are asked for
    that nobody sees yet. Between two layers of a training step ticks are let in, as far as its share allows.
    """

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        traces: ByteCache[Trace | Lens | Scores | Filled],
        trainer: Trainer,
    ) -> None:
        super().__init__(name="engine", daemon=True)
        self.counters = Counters()
        self._settings = settings
        self._scheduler = scheduler
        self._traces = traces
        self._trainer = trainer
        self._credit_s = self._mark = 0.0  # what others may take of training's time, and since when it works
        self._batches: dict[Hashable, DecodeBatch] = {}  # of each group of decode jobs
        self._rows: dict[Job, DecodeRow] = {}
        self._products = Products(settings)
        self._decoders = weakref.WeakSet[torch.nn.Module]()  # whose products are known or waited for
        self._trouble: PlaygroundError | None = None  # what ended the last tick
        self._is_stuck = False  # that was nobody's fault
        self._has_waited = False  # the decode step, for one forward

    @property
    def n_decoding(self) -> int:
        """Rows being continued."""
        return len(self._rows)

    @torch.no_grad()
    def run(self) -> None:
        """Work until the scheduler is closed; an error ends what it touched, never this thread.

        Errors are caught whatever they are, also those that Python means for the end of a program: a Rust
        library that panics raises one of these.
        """
        torch.set_num_threads(n_threads(self._settings))
        try:
            while not self._worked_to_the_end():
                self.counters.n_restarts += 1
                time.sleep(PAUSE_S)
        finally:
            self._scheduler.close()  # whatever ended this thread: nobody waits for it

    def _worked_to_the_end(self) -> bool:
        """True once the scheduler is closed, False after an error: what it left behind is set right next."""
        try:
            while self._scheduler.wait(busy=self._has_work, at_most_s=self._quiet_s()):
                if not self._is_asked():
                    self._products.use_quiet(self._is_asked)
                self._turn()
        except BaseException as error:  # noqa: BLE001  (an error between the turns)
            self._trouble = self._trouble or told_of(error)
            return False
        return True

    def _has_work(self) -> bool:
        return bool(self._rows) or self._trouble is not None or self._trainer.has_work

    def _is_asked(self) -> bool:
        return self._scheduler.n_waiting > 0 or self._has_work()

    def _quiet_s(self) -> float | None:
        return QUIET_S if self._products.is_waiting else None

    def _turn(self) -> None:
        """A tick, as far as it is the others' turn, and a training step."""
        if not self._trainer.has_work:
            self._credit_s = 0.0
            self._tick()
            return
        if self._credit_s >= 0:
            self._lend()
        self._mark = time.monotonic()
        try:
            self._trainer.work(self._give_way)
        except BaseException as error:  # noqa: BLE001  (an error outside a step is everybody's who trains)
            self._trainer.give_up(error)
        self._earn()

    def _lend(self) -> None:
        started = time.monotonic()
        self._tick()
        self._credit_s = max(-MOST_CREDIT_S, self._credit_s - (time.monotonic() - started))

    def _earn(self) -> None:
        """Training has worked since the mark: others may take as much as leaves it its share."""
        now, settings = time.monotonic(), self._settings
        is_urgent = bool(self._rows) or self._scheduler.n_urgent > 0
        share = settings.training_share
        share = share if is_urgent else max(share, settings.training_share_beside_rest)
        earned_s = (now - self._mark) * (1 / min(share, MOST_SHARE) - 1)
        self._credit_s, self._mark = min(MOST_CREDIT_S, self._credit_s + earned_s), now

    def _tick(self) -> None:
        before, self._trouble = self._trouble, None
        try:
            if before is not None:
                self._set_right(before)
            batch = self._scheduler.next_batch()
            if batch:
                self._forward(batch)
            del batch
            self._let_go()
            self._has_waited = self._scheduler.n_urgent > 0 and not self._has_waited
            if not self._has_waited:
                self._decode()
            self._is_stuck = False
        except BaseException as error:  # noqa: BLE001  (an error between jobs, or in telling one of its result)
            self._trouble = told_of(error)
            if before is not None:
                time.sleep(PAUSE_S)

    def _set_right(self, told: PlaygroundError) -> None:
        """After an error that no job has caught: end what got lost; if nothing did, try again once."""
        held = [row for batch in self._batches.values() for row in batch.all_rows]
        for row in [row for row in self._rows.values() if row not in held]:
            self._fail_row(row, told)
        if self._scheduler.fail_lost(self._rows, told):
            return
        if self._is_stuck:
            self._scheduler.fail_waiting(told)
        self._is_stuck = not self._is_stuck

    @torch.no_grad()
    def _give_way(self) -> None:
        """Between two layers of a training step: whoever waits, as long as training keeps its share."""
        self._earn()
        while self._credit_s > 0 and (self._scheduler.n_waiting or self._rows):
            self._lend()
        self._mark = time.monotonic()

    # ---- forwards

    def _forward(self, jobs: Sequence[Job]) -> None:
        """Compute a batch; if it fails, halve it, so that a request that fails fails alone."""
        jobs = self._scheduler.wanted(jobs)
        if not jobs:
            return
        told: PlaygroundError | None = None
        try:
            results = self._compute(jobs)
        except BaseException as error:  # noqa: BLE001  (whatever the model raised goes to whoever asked for it)
            told = told_of(error, expected=len(jobs) > 1)
        if told is None:  # here, where the error no longer holds the tensors of its frames
            for job, result in zip(jobs, results, strict=True):
                try:
                    self._hand_out(job, result, FORWARD_TOKENS / len(jobs))
                except BaseException as error:  # noqa: BLE001  (its own request fails with it)
                    self._scheduler.finish(job, told_of(error))
        elif len(jobs) == 1:
            self._scheduler.finish(jobs[0], told)
        else:
            half = len(jobs) // 2
            self._forward(jobs[:half])
            self._forward(jobs[half:])

    def _hand_out(self, job: Job, result: object, share: float) -> None:
        if isinstance(result, Trace):
            self._traces.put(job.key, result)
        self._scheduler.charge(job, job.n_tokens, share)
        if isinstance(result, More):
            self._scheduler.again(job, result)
        else:
            self._scheduler.finish(job, result)

    def _compute(self, jobs: Sequence[Job]) -> list[object]:
        self.counters.n_prefill_tokens += sum(job.n_tokens for job in jobs)
        first: TraceWork | Work[object] = jobs[0].payload
        if isinstance(first, TraceWork):
            self.counters.n_forwards += 1
            if first.after is not None:
                rows = [(job.payload.row, job.payload.after) for job in jobs]
                self.counters.n_prefill_tokens -= sum(len(read.input_ids) for _row, read in rows)
                return list(run_after(first.loaded, rows))
            self._meet(first.loaded)
            captures = [job.payload.capture for job in jobs]
            return list(run_traces(first.loaded, [job.payload.row for job in jobs], captures))
        self.counters.n_forwards += sum(job.payload.n_forwards for job in jobs)
        return [job.payload.run() for job in jobs]

    def _meet(self, loaded: LoadedModel) -> None:
        """A decoder that was not read before will be continued soon: its products wait for a quiet moment."""
        if loaded.info.kind == "decoder" and loaded.model not in self._decoders:
            self._decoders.add(loaded.model)
            decode_batch(loaded, self._settings.prefill_chunk_tokens, self._products)

    # ---- decoding

    def _let_go(self) -> None:
        """Forget the rows that nobody waits for."""
        wanted = set(self._scheduler.wanted(list(self._rows)))
        for job in self._rows.keys() - wanted:
            self._rows.pop(job).finished = True

    def _decode(self) -> None:
        for batch in list(self._batches.values()):
            self._guarded(batch.sweep, batch.give_up_rows)
        self._admit()
        for batch in list(self._batches.values()):
            self._advance(batch)
        for row in list(self._rows.values()):
            if row.error is not None:
                self._fail_row(row, told_of(row.error))
        self._batches = {key: batch for key, batch in self._batches.items() if batch.all_rows}

    def _admit(self) -> None:
        room = self._settings.max_decode_rows - len(self._rows)
        if room <= 0 or any(batch.is_reading for batch in self._batches.values()):
            return
        jobs, rows = self._scheduler.next_rows(room), list[DecodeRow]()
        for job in jobs:
            try:
                work: DecodeWork = job.payload
                self._rows[job] = DecodeRow(
                    work.request, work.input_ids, self._receiver(job), work.loaded, work.source_ids, work.form
                )
                rows.append(self._rows[job])
            except BaseException as error:  # noqa: BLE001  (a request that cannot be begun ends alone)
                self._scheduler.finish(job, told_of(error))
        if rows:
            loaded, alone = rows[0].loaded, rows[0].request.alone
            shared = id(loaded.template) if can_mix(loaded.model) else id(loaded)
            self._read(jobs[0].group if alone else shared, rows)

    def _read(self, key: Hashable, rows: list[DecodeRow]) -> None:
        """Begin to read these rows' texts, in the batch of this key."""

        def admit() -> None:
            if key not in self._batches:
                self._batches[key] = decode_batch(
                    rows[0].loaded, self._settings.prefill_chunk_tokens, self._products
                )
            self._batches[key].admit(rows)

        self._guarded(admit, lambda: rows)

    def _advance(self, batch: DecodeBatch) -> None:
        if batch.is_reading:
            before = batch.n_prefill_tokens
            self.counters.n_forwards += 1
            self._guarded(batch.read, batch.give_up_reading)
            self.counters.n_prefill_tokens += batch.n_prefill_tokens - before
        if batch.rows:
            self.counters.n_forwards += 1
            self.counters.n_decode_steps += 1
            self._guarded(batch.step, batch.give_up_rows)

    def _guarded(self, act: Callable[[], None], give_up: Callable[[], list[DecodeRow]]) -> None:
        """Do it; if it fails, its rows go on in halves, so that a row that fails fails alone.

        Each half gets a batch of its own and reads again what its rows have.
        """
        try:
            act()
            return
        except BaseException as error:  # noqa: BLE001  (whatever the model raised goes to whoever asked for it)
            rows = give_up()
            told = told_of(error, expected=len(rows) > 1)
        parts = _parts(rows)
        for part in parts:
            if len(parts) > 1:
                self._read(object(), part)
            else:
                self._fail_row(part[0], told)

    def _receiver(self, job: Job) -> Callable[[GenerateStep], None]:
        return lambda step: self._emit(job, step)

    def _emit(self, job: Job, step: GenerateStep) -> None:
        """Pass one step on to whoever asked."""
        self.counters.n_decoded_tokens += 1
        share = FORWARD_TOKENS / max(1, len(self._rows))
        self._scheduler.charge(job, 1 if step.index else job.n_tokens, share)
        self._scheduler.send(job, step)
        if step.finish_reason is not None:
            self._scheduler.finish(job)
            del self._rows[job]

    def _fail_row(self, row: DecodeRow, told: PlaygroundError) -> None:
        row.finished = True
        for job in [job for job, one in self._rows.items() if one is row]:
            del self._rows[job]
            self._scheduler.finish(job, told)


def _parts(rows: list[DecodeRow]) -> list[list[DecodeRow]]:
    """Rows by model, which are read apart; those of one model in halves."""
    models = {id(row.loaded): row.loaded for row in rows}.values()
    if len(models) > 1:
        return [[row for row in rows if row.loaded is loaded] for loaded in models]
    half = len(rows) // 2
    return [part for part in (rows[:half], rows[half:]) if part]
