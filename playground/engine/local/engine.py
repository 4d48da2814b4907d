"""LocalEngine: models, scheduler, model thread and caches of one process."""

from __future__ import annotations

from collections.abc import Iterator

from playground.core.byte_cache import ByteCache
from playground.core.residual import Lens
from playground.core.trace import Trace
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.engine import EngineStats
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.limits import check_settings
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.traces import TraceManyRequest, TraceRequest
from playground.engine.contract.waiting import OnWait
from playground.engine.decoding.beam_search import beams_work
from playground.engine.local.ask import Backend
from playground.engine.local.filling import fill, fill_each
from playground.engine.local.inside import LocalInside
from playground.engine.local.memory import LocalMemory
from playground.engine.local.model_thread import ModelThread
from playground.engine.local.networks import LocalNetworks
from playground.engine.local.preferences import LocalPreferences
from playground.engine.local.pretraining import LocalPretraining
from playground.engine.local.quantization import LocalQuantization
from playground.engine.local.retrieval import LocalRetrieval
from playground.engine.local.scoring import score
from playground.engine.local.task_heads import LocalTaskHeads
from playground.engine.local.training import LocalTraining
from playground.engine.local.vectors import LocalVectors
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.models.table import ModelTable
from playground.engine.pretraining.trained import PretrainedTable
from playground.engine.recurrent.trained import NetworkTable
from playground.engine.retrieval.collections import CollectionTable
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.task_heads.trained import HeadTable
from playground.errors import BadValue
from playground.settings import Settings


class LocalEngine:
    """The `Engine` of this process. See `playground.engine.contract.engine.Engine` for the contract."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = ModelTable(settings)
        self.adapters = AdapterTable(settings, self._table, lambda: self.training.forget_later())
        self.tokenizers = NamedTokenizers(settings, self.adapters.tokenizer)
        self._scheduler = Scheduler(settings)
        self._cache: ByteCache[Trace | Lens | Scores | Filled] = ByteCache(settings.cache_bytes)
        self._backend = Backend(settings, self.adapters, self._scheduler, self._cache)
        self.inside = LocalInside(self._backend)
        self.vectors = LocalVectors(self._backend)
        self.quantization = LocalQuantization(self._backend)
        self.memory = LocalMemory(self._backend)
        departures = self.adapters.departures
        networks = NetworkTable(settings, departures, lambda: self.training.forget_later())
        collections = CollectionTable(settings, departures, lambda: self.training.forget_later())
        self.networks = LocalNetworks(settings, networks, self._scheduler)
        self.retrieval = LocalRetrieval(self._backend, collections)
        heads = HeadTable(settings, departures, lambda: self.training.forget_later())
        self.task_heads = LocalTaskHeads(self._backend, heads)
        self.preferences = LocalPreferences(self._backend, self.tokenizers, heads.rewards)
        pretrained = PretrainedTable(settings, departures, lambda: self.training.forget_later())
        self._table.take_in(pretrained)
        self.pretraining = LocalPretraining(self._backend, pretrained)
        self.training = LocalTraining(
            settings, self.adapters, networks, heads, pretrained, self.tokenizers, self._scheduler,
            (collections.owned,),
        )  # fmt: skip
        self._thread = ModelThread(settings, self._scheduler, self._cache, self.training.trainer)
        self._thread.start()

    @property
    def settings(self) -> Settings:
        """Its limits."""
        return self._settings

    @property
    def is_alive(self) -> bool:
        """True as long as its model thread works."""
        return self._thread.is_alive()

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order, with the state of each model."""
        return self._table.infos()

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model in the background."""
        self.adapters.load(model)

    def stop_download(self, model: str) -> None:
        """Stop the download of a model."""
        self._table.stop_download(model)

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            return ask.trace(request)

    def trace_many(self, request: TraceManyRequest, on_wait: OnWait | None = None) -> list[Trace]:
        """Several forward passes, those of one capture in one batch."""
        limit = self._settings.max_traces_together
        if not 0 < len(request.requests) <= limit:
            raise BadValue(name="requests", value=len(request.requests), allowed=f"1-{limit}")
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            return ask.traces(request.requests)

    def score(self, request: ScoreRequest, on_wait: OnWait | None = None) -> Iterator[tuple[int, Scores]]:
        """(which text, log p(candidate | text) of its candidates), as they are known."""
        with self._backend.ask(request, "score", on_wait) as ask:
            yield from score(ask, self._backend, self._backend.checks.scored(request, ask.loaded))

    def fill(self, request: FillRequest, on_wait: OnWait | None = None) -> Filled:
        """The distribution over the vocabulary at every mask of a text."""
        with self._backend.ask(request, "trace", on_wait, supersedes=True) as ask:
            return fill(ask, self._backend, request)

    def fill_each(self, request: FillRequest, on_wait: OnWait | None = None) -> Iterator[Filled]:
        """The same of every token of a text, each masked alone, some places at a time."""
        with self._backend.ask(request, "trace", on_wait) as ask:
            yield from fill_each(ask, self._backend, request)

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; closing the iterator cancels within one step."""
        check_settings(request, self._settings)
        with self._backend.ask(request, "decode", on_wait, supersedes=True) as ask:
            for _which, step in ask.generate([request]):
                yield step

    def generate_many(
        self, request: GenerateManyRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(which continuation, its next step), as they are computed."""
        limit = self._settings.max_continuations
        if not 0 < len(request.requests) <= limit:
            raise BadValue(name="requests", value=len(request.requests), allowed=f"1-{limit}")
        with self._backend.ask(request, "decode", on_wait, supersedes=True) as ask:
            yield from ask.generate(request.requests)

    def beams(self, request: BeamsRequest, on_wait: OnWait | None = None) -> Iterator[BeamStep]:
        """Every step of a beam search."""
        with self._backend.ask(request, "trace", on_wait) as ask:
            ids = self._backend.checks.beams(request, ask.loaded)
            yield from ask.steps(beams_work(ask.loaded, ids, request), len(ids), keeps=True)

    def cancel(self, request_id: str) -> None:
        """Stop a request; its caller gets `Cancelled`."""
        self._scheduler.leave(request_id)

    def cancel_owner(self, owner: str) -> None:
        """Stop everything a session asked for; its runs and adapters wait a while for it to come back."""
        self._scheduler.leave_owner(owner)
        self.training.owner_left(owner)

    def owner_back(self, owner: str) -> None:
        """A session is back whose connection had been lost."""
        self.training.owner_back(owner)

    def stats(self) -> EngineStats:
        """Counters and gauges."""
        done = self._thread.counters
        return EngineStats(
            n_forwards=done.n_forwards,
            n_prefill_tokens=done.n_prefill_tokens,
            n_decode_steps=done.n_decode_steps,
            n_decoded_tokens=done.n_decoded_tokens,
            n_cache_hits=self._backend.n_cache_hits,
            n_cancelled=self._scheduler.n_cancelled,
            n_waiting=self._scheduler.n_waiting,
            n_decoding=self._thread.n_decoding,
            n_training=self.training.runs.n_running,
            adapter_bytes=self.adapters.size_bytes,
            cache_bytes=self._cache.size_bytes,
            cache_limit_bytes=self._cache.limit_bytes,
            model_bytes=self._table.size_bytes,
            n_restarts=done.n_restarts,
        )

    def close(self) -> None:
        """Stop the engine's threads; waiting callers get `Cancelled`."""
        self.training.close()
        self._scheduler.close()
        self._table.close()
        self._thread.join(timeout=10)
