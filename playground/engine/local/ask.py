"""A request whose model is in memory: with what every part of this engine asks the model thread."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar, cast

from playground.core.byte_cache import ByteCache
from playground.core.residual import Lens
from playground.core.trace import Trace
from playground.engine.adapters.store import AdapterTable
from playground.engine.constraining.form import form_of
from playground.engine.contract.asked import Asked
from playground.engine.contract.filling import Filled
from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.engine.contract.limits import check_settings
from playground.engine.contract.scores import Scores
from playground.engine.contract.traces import TraceRequest
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.decoding.row import DecodeWork
from playground.engine.forward.after import goes_on
from playground.engine.forward.blocks import check_intervention
from playground.engine.forward.positions import check_positions
from playground.engine.forward.traces import InputRow, TraceWork, can_mix, trace_key
from playground.engine.local.checks import ReadsText, RequestChecks
from playground.engine.models.continuations import Ids
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import target_start
from playground.engine.scheduling.jobs import Job, JobKind, Work
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import POLL_S, Asking
from playground.settings import Settings

Result = TypeVar("Result")


class Backend:
    """The objects that the parts of one local engine share.

    Attributes:
        settings: Limits.
        models: Loads models and the adapters on them.
        scheduler: The queue before the model thread.
        cache: Traces, columns of the lens and scores that are known already.
        checks: Validation of requests to a loaded model.
        n_cache_hits: Traces that were known already.
    """

    def __init__(
        self,
        settings: Settings,
        models: AdapterTable,
        scheduler: Scheduler,
        cache: ByteCache[Trace | Lens | Scores | Filled],
    ) -> None:
        self.settings, self.models, self.scheduler, self.cache = settings, models, scheduler, cache
        self.checks = RequestChecks(settings)
        self.n_cache_hits = 0

    @contextmanager
    def ask(
        self, request: Asked, kind: JobKind, on_wait: OnWait | None, *, supersedes: bool = False
    ) -> Iterator[Ask]:
        """A request from here to its end, once its model is in memory.

        Args:
            request: The request.
            kind: Kind of its jobs.
            on_wait: Told where it stands while it waits.
            supersedes: True ends an older request of its session, kind and topic.
        """
        topic = request.topic if supersedes else None
        with Asking(self.scheduler, request, kind, topic, self.settings, on_wait) as waiting:
            yield Ask(self, self._loaded(request.model, waiting), waiting)

    def _loaded(self, model: str, waiting: Asking) -> LoadedModel:
        """The model in memory, waiting for it (and saying so) when it is not there yet."""
        started = time.monotonic()
        future = self.models.load(model)
        while True:
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                if future.done():
                    return future.result()
                state, message = self.models.state(model)
                waiting.waits(Waiting(0, time.monotonic() - started, state, message))


class Ask:
    """One request that is open: everything it has computed is queued here, and waited for here.

    Args:
        backend: The backend that computes it.
        loaded: The model it asks.
        waiting: The wait for the model thread.
    """

    def __init__(self, backend: Backend, loaded: LoadedModel, waiting: Asking) -> None:
        self.loaded = loaded
        self._backend, self._waiting = backend, waiting

    def ids(self, request: ReadsText) -> Ids:
        """The token ids to read; refuses none, unknown ones and too many."""
        return self._backend.checks.input_ids(request, self.loaded)

    def waits(self, waiting: Waiting) -> None:
        """Say where it stands while it waits for something else than the model thread.

        Raises:
            Cancelled: The request has been cancelled or superseded.
        """
        self._waiting.waits(waiting)

    def compute(
        self, work: Work[Result], n_tokens: int, *, key: Hashable | None = None, later: int = 0
    ) -> Result:
        """Have a piece of work done in one turn, and wait for what it gives.

        Args:
            work: To be run by the model thread.
            n_tokens: Cost in tokens.
            key: Requests with equal keys share one computation; None shares it with nobody.
            later: Number of tokens of others that go before it.
        """
        return next(self.steps(work, n_tokens, key=key, later=later))

    def steps(
        self,
        work: Work[Result],
        n_tokens: int,
        *,
        kind: JobKind = "trace",
        key: Hashable | None = None,
        later: int = 0,
        keeps: bool = False,
    ) -> Iterator[Result]:
        """Have work of several turns done; gives what each turn gives. Closing the iterator takes it back.

        Args:
            work, n_tokens, key, later: As in `compute`; `n_tokens` is the cost of the first turn.
            kind, keeps: As in `Job`.
        """
        key = object() if key is None else key
        job = Job(kind, key, key, n_tokens, work, keeps=keeps, later=later)
        return cast("Iterator[Result]", self._waiting.results(job))

    def generate(self, requests: Sequence[GenerateRequest]) -> Iterator[tuple[int, GenerateStep]]:
        """(which of the requests, its next step), as they are computed; closing the iterator stops all."""
        jobs = [self._decode_job(request) for request in requests]
        return cast("Iterator[tuple[int, GenerateStep]]", self._waiting.each(jobs))

    def trace(self, request: TraceRequest) -> Trace:
        """One forward pass with everything captured that was asked for, or what is known of it already."""
        (found,) = self.traces([request])
        return found

    def traces(self, requests: Sequence[TraceRequest]) -> list[Trace]:
        """As `trace`, of several requests, which are queued together."""
        found: dict[int, Trace] = {}
        jobs: dict[int, Job] = {}
        for place, request in enumerate(requests):
            known = self._trace_or_job(request)
            if isinstance(known, Trace):
                found[place] = known
            else:
                jobs[place] = known
        if jobs:
            places = list(jobs)
            for row, value in self._waiting.each(list(jobs.values())):
                found[places[row]] = cast("Trace", value)
        return [found[place] for place in range(len(requests))]

    def _trace_or_job(self, request: TraceRequest) -> Trace | Job:
        """The trace, if it is known already; else its job."""
        loaded, checks, cache = self.loaded, self._backend.checks, self._backend.cache
        ids = self.ids(request)
        row = InputRow(
            ids,
            checks.decoder_ids(request, loaded),
            check_positions(request.position_ids, len(ids), loaded),
            check_intervention(request.intervention, loaded.info, len(ids)),
        )
        capture = checks.capture(request.capture, loaded, len(ids))
        key = trace_key(loaded, row, capture)
        known = cache.get(key)
        if isinstance(known, Trace):
            self._backend.n_cache_hits += 1
            return replace(known, cached=True)
        after = request.after if goes_on(loaded, row, capture, request.after) else None
        mixes = can_mix(loaded, capture)
        group = ("trace", id(loaded), None if mixes else capture, after is not None)
        work = TraceWork(loaded, row, capture, after)
        return Job("trace", key, group, len(ids) + len(row.decoder_ids), work)

    def _decode_job(self, request: GenerateRequest) -> Job:
        loaded, checks = self.loaded, self._backend.checks
        check_settings(request, self._backend.settings)
        checks.require_writing(loaded)
        ids, written = self.ids(request), checks.known_ids(request.written, loaded)
        source_ids: Ids = ()
        if loaded.info.kind == "encoder-decoder":
            source_ids, ids = ids, target_start(loaded)
        ids = ids + written
        checks.check_window(len(ids) + 1, loaded)
        key = object()  # nobody's but this caller's, whatever its id
        group = key if request.alone else id(loaded)  # rows of one group share a batch
        n_tokens = len(source_ids) + len(ids)
        form = None if request.constraint is None else form_of(request.constraint, loaded, written)
        return Job("decode", key, group, n_tokens, DecodeWork(loaded, request, ids, source_ids, form))
