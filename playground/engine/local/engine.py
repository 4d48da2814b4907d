"""LocalEngine: models, scheduler, model thread and caches of one process."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.core.residual import Lens
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.engine import EngineStats
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.inside import Ablated, AblationsRequest, LensRequest
from playground.engine.contract.limits import check_settings
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TextRead, TracesRequest
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.decoding.batch import DecodeWork
from playground.engine.decoding.beam_search import beams_job
from playground.engine.forward.ablations import ablate_each
from playground.engine.forward.after import goes_on
from playground.engine.forward.blocks import check_intervention
from playground.engine.forward.embedding import embedding_table, untrained_vectors
from playground.engine.forward.lens import read_lens
from playground.engine.forward.positions import check_positions
from playground.engine.forward.scoring import Scorer
from playground.engine.forward.texts import read_texts, trace_key
from playground.engine.forward.traces import InputRow
from playground.engine.forward.weights import final_norm
from playground.engine.local.checks import Request, RequestChecks
from playground.engine.local.model_thread import ModelThread, TraceWork
from playground.engine.local.training import LocalTraining
from playground.engine.local.weights import LocalWeights
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.models.table import ModelTable
from playground.engine.scheduling.cache import ByteCache
from playground.engine.scheduling.jobs import Job, JobKind
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import POLL_S, Asking
from playground.errors import BadValue
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.models.loaded import LoadedModel

AnyRequest = Request | ScoreRequest | TracesRequest | GenerateManyRequest


class LocalEngine(LocalWeights):
    """The `Engine` of this process. See `playground.engine.contract.engine.Engine` for the contract."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checks = RequestChecks(settings)
        self._table = ModelTable(settings)
        self.adapters = AdapterTable(settings, self._table, lambda: self.training.forget_later())
        self.tokenizers = NamedTokenizers(settings, self.adapters.tokenizer)
        self._scheduler = Scheduler(settings)
        self.training = LocalTraining(settings, self.adapters, self.tokenizers, self._scheduler)
        self._traces: ByteCache[Trace | Lens | Scores] = ByteCache(settings.cache_bytes)
        self._thread = ModelThread(settings, self._scheduler, self._traces, self.training.trainer)
        self._scorer = Scorer(settings, self._traces)
        self._n_cache_hits = 0
        self._thread.start()

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order, with the state of each model."""
        return self._table.infos()

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model in the background."""
        self.adapters.load(model)

    def stop_download(self, model: str) -> None:
        """Stop the download of a model."""
        self._table.stop_download(model)

    def tokenize(self, model: str, text: str, *, add_special_tokens: bool = True) -> Tokenization:
        """Cut `text` as the model does."""
        self._checks.check_text(text)
        return self.adapters.tokenizer(model).tokenize(text, add_special_tokens)

    def token_texts(self, model: str, token_ids: NDArray[np.int64]) -> tuple[str, ...]:
        """Readable form of each of these token ids."""
        return self.adapters.tokenizer(model).token_texts(token_ids.tolist())

    def text_of(self, model: str, token_ids: Sequence[int]) -> str:
        """The text these tokens spell."""
        tokenizer = self.adapters.tokenizer(model)
        spelled = b"".join(map(tokenizer.token_bytes, token_ids))
        return codecs.getincrementaldecoder("utf-8")("replace").decode(spelled)

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for."""
        with self._asking(request, "trace", on_wait, request.topic) as asking:
            return self._trace(request, self._loaded(request.model, asking), asking)

    def _trace(self, request: TraceRequest, loaded: LoadedModel, asking: Asking) -> Trace:
        ids = self._checks.input_ids(request, loaded)
        places = check_positions(request.position_ids, len(ids), loaded)
        intervention = check_intervention(request.intervention, loaded.info, len(ids))
        row = InputRow(ids, self._checks.decoder_ids(request, loaded), places, intervention)
        capture = self._checks.capture(request.capture, loaded, len(row.input_ids))
        key = trace_key(loaded, row, capture)
        known = self._traces.get(key)
        if isinstance(known, Trace):
            self._n_cache_hits += 1
            return replace(known, cached=True)
        after = request.after if goes_on(loaded, row, capture, request.after) else None
        alone = loaded.info.kind == "encoder-decoder" and key
        group = ("trace", id(loaded), capture, alone, after is not None)
        work = TraceWork(loaded, row, capture, after)
        result = asking.result(Job("trace", key, group, len(row.input_ids), work))
        assert isinstance(result, Trace)
        return result

    def traces(self, request: TracesRequest, on_wait: OnWait | None = None) -> Iterator[TextRead]:
        """(place in `texts`, its trace or why it cannot be read), in the order they are ready."""
        with self._asking(request, "trace", on_wait) as asking:
            loaded = self._loaded(request.model, asking)
            capture = self._checks.capture(Capture(hidden_states=request.hidden_states), loaded, 0)
            ids = partial(self._checks.input_ids, loaded=loaded)
            yield from read_texts(request, loaded, capture, self._settings, self._traces, ids, asking.result)

    def lens(self, request: LensRequest, on_wait: OnWait | None = None) -> Lens:
        """What the model would answer if it stopped after each layer."""
        with self._asking(request, "trace", on_wait, request.topic) as asking:
            loaded = self._loaded(request.model, asking)
            final_norm(loaded)  # refuses a model without one before anything is computed
            ids = self._checks.lens(request, loaded)
            capture = Capture(hidden_states="all", block_outputs="query_key" in loaded.info.capabilities)
            asked = TraceRequest(request.model, input_ids=ids, capture=capture)
            later = self._settings.later_tokens if request.later else 0
            trace = partial(self._trace, asked, loaded, asking)
            return read_lens(request, loaded, ids, self._traces, trace, asking.result, later=later)

    def ablations(self, request: AblationsRequest, on_wait: OnWait | None = None) -> Iterator[Ablated]:
        """Every head switched off alone, chunk by chunk."""
        with self._asking(request, "trace", on_wait) as asking:
            loaded = self._loaded(request.model, asking)
            final_norm(loaded)
            ids = self._checks.input_ids(request, loaded)
            self._checks.check_all_heads(len(ids))
            asked = TraceRequest(request.model, input_ids=ids, capture=Capture(hidden_states="all"))
            trace = self._trace(asked, loaded, asking)
            n_tokens = self._settings.prefill_chunk_tokens
            yield from ablate_each(request, loaded, trace, n_tokens, asking.result)

    def untrained_vectors(self, n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
        """The weights a new embedding layer starts with. Shape [n_vectors, d_model]."""
        return untrained_vectors(n_vectors, d_model, seed)

    def embedding_table(self, model: str, on_wait: OnWait | None = None) -> EmbeddingTable:
        """The input embedding matrix of a model, the same memory for every caller."""
        with self._asking(TraceRequest(model), "trace", on_wait) as asking:
            return embedding_table(self._loaded(model, asking))

    def score(self, request: ScoreRequest, on_wait: OnWait | None = None) -> Iterator[tuple[int, Scores]]:
        """(which text, log p(candidate | text) of its candidates), as they are known."""
        with self._asking(request, "score", on_wait) as asking:
            loaded = self._loaded(request.model, asking)
            texts = self._checks.scored(request, loaded)
            yield from self._scorer.score(loaded, texts, asking.results)

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; closing the iterator cancels within one step."""
        check_settings(request, self._settings)
        with self._asking(request, "decode", on_wait, request.topic) as asking:
            job = self._decode_job(request, self._loaded(request.model, asking))
            for step in asking.results(job):
                assert isinstance(step, GenerateStep)
                yield step

    def generate_many(
        self, request: GenerateManyRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(which continuation, its next step), as they are computed."""
        limit = self._settings.max_continuations
        if not 0 < len(request.requests) <= limit:
            raise BadValue(name="requests", value=len(request.requests), allowed=f"1-{limit}")
        with self._asking(request, "decode", on_wait, request.topic) as asking:
            loaded = self._loaded(request.model, asking)
            jobs = [self._decode_job(one, loaded) for one in request.requests]
            for row, step in asking.each(jobs):
                assert isinstance(step, GenerateStep)
                yield row, step

    def beams(self, request: BeamsRequest, on_wait: OnWait | None = None) -> Iterator[BeamStep]:
        """Every step of a beam search."""
        with self._asking(request, "trace", on_wait) as asking:
            loaded = self._loaded(request.model, asking)
            ids = self._checks.beams(request, loaded)
            for step in asking.results(beams_job(request, loaded, ids)):
                assert isinstance(step, BeamStep)
                yield step

    def _decode_job(self, request: GenerateRequest, loaded: LoadedModel) -> Job:
        check_settings(request, self._settings)
        self._checks.require(loaded, "generate")
        ids = self._checks.input_ids(request, loaded) + self._checks.known_ids(request.written, loaded)
        self._checks.check_window(len(ids) + 1, loaded)
        key = object()  # nobody's but this caller's, whatever its id
        group = key if request.alone else id(loaded)  # rows of one group share a batch
        return Job("decode", key, group, len(ids), DecodeWork(loaded, request, ids))

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
            n_cache_hits=self._n_cache_hits,
            n_cancelled=self._scheduler.n_cancelled,
            n_waiting=self._scheduler.n_waiting,
            n_decoding=self._thread.n_decoding,
            n_training=self.training.runs.n_running,
            adapter_bytes=self.adapters.size_bytes,
            cache_bytes=self._traces.size_bytes,
            cache_limit_bytes=self._traces.limit_bytes,
            model_bytes=self._table.size_bytes,
        )

    def close(self) -> None:
        """Stop the engine's threads; waiting callers get `Cancelled`."""
        self.training.close()
        self._scheduler.close()
        self._table.close()
        self._thread.join(timeout=10)

    # ---- waiting

    def _asking(
        self, request: AnyRequest, kind: JobKind, on_wait: OnWait | None, topic: str | None = None
    ) -> Asking:
        """A request from here to its end. With a topic, a newer one of its session takes its place."""
        return Asking(self._scheduler, request, kind, topic, self._timeout_s(request), on_wait)

    def _timeout_s(self, request: AnyRequest) -> float:
        return request.timeout_s or self._settings.request_timeout_s

    def _loaded(self, model: str, asking: Asking) -> LoadedModel:
        """The model in memory, waiting for it (and saying so) when it is not there yet."""
        started = time.monotonic()
        future = self.adapters.load(model)
        while True:
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                if future.done():
                    return future.result()
                state, message = self.adapters.state(model)
                asking.waits(Waiting(0, time.monotonic() - started, state, message))
