"""LocalEngine: models, scheduler, model thread and caches of one process."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.core.positions import PositionScheme
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.base import (
    EngineStats,
    GenerateRequest,
    GenerateStep,
    ModelInfo,
    OnWait,
    ScoreRequest,
    Scores,
    TraceRequest,
    Waiting,
)
from playground.engine.cache import ByteCache
from playground.engine.checking import check_settings
from playground.engine.embedding import embedding_table, untrained_vectors
from playground.engine.forward import Capture, Row
from playground.engine.named_tokenizers import NamedTokenizers
from playground.engine.positions import checked, position_scheme
from playground.engine.scheduler import DONE, Job, Scheduler, Ticket
from playground.engine.table import ModelTable
from playground.engine.texts import read_texts, trace_key
from playground.engine.vectors import TextRead, TracesRequest
from playground.engine.worker import DecodeWork, ModelThread, ScoreWork, TraceWork
from playground.errors import BadValue, EmptyText, TextTooLong, TimedOut, TooManyTokens, Unsupported
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

Request = TraceRequest | GenerateRequest | ScoreRequest
AnyRequest = Request | TracesRequest
POLL_S = 0.1


class LocalEngine:
    """The `Engine` of this process. See `playground.engine.base.Engine` for the contract."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = ModelTable(settings)
        self.tokenizers = NamedTokenizers(settings, self._table.tokenizer)
        self._scheduler = Scheduler(settings)
        self._traces: ByteCache[Trace] = ByteCache(settings.cache_bytes)
        self._thread = ModelThread(settings, self._scheduler, self._traces)
        self._n_cache_hits = 0
        self._thread.start()

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order, with the state of each model."""
        return self._table.infos()

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model in the background."""
        self._table.load(model)

    def tokenize(self, model: str, text: str, *, add_special_tokens: bool = True) -> Tokenization:
        """Cut `text` as the model does."""
        self._check_text(text)
        return self._table.tokenizer(model).tokenize(text, add_special_tokens)

    def token_texts(self, model: str, token_ids: NDArray[np.int64]) -> tuple[str, ...]:
        """Readable form of each of these token ids."""
        return self._table.tokenizer(model).token_texts(token_ids.tolist())

    def positions(self, model: str) -> PositionScheme:
        """How a model that is in memory tells positions apart."""
        return position_scheme(self._table.load(model).result())

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for."""
        loaded = self._loaded(request, on_wait)
        ids = self._input_ids(request, loaded)
        row = Row(ids, self._decoder_ids(request, loaded), checked(request.position_ids, len(ids), loaded))
        capture = self._capture(request, loaded, len(row.input_ids))
        key = trace_key(loaded, row, capture)
        known = self._traces.get(key)
        if known is not None:
            self._n_cache_hits += 1
            return replace(known, cached=True)
        group = ("trace", id(loaded), capture, loaded.info.kind == "encoder-decoder" and key)
        job = Job("trace", key, group, len(row.input_ids), TraceWork(loaded, row, capture))
        result = next(self._results(request, job, on_wait))
        assert isinstance(result, Trace)
        return result

    def traces(self, request: TracesRequest, on_wait: OnWait | None = None) -> Iterator[TextRead]:
        """(place in `texts`, its trace or why it cannot be read), in the order they are ready."""
        loaded = self._loaded(request, on_wait)
        one = TraceRequest(request.model, hidden_states=request.hidden_states)
        capture = self._capture(one, loaded, 0)
        ids = partial(self._input_ids, loaded=loaded)
        results = partial(self._results, on_wait=on_wait)
        return read_texts(request, loaded, capture, self._settings, self._traces, ids, results)

    def untrained_vectors(self, n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
        """The weights a new embedding layer starts with. Shape [n_vectors, d_model]."""
        return untrained_vectors(n_vectors, d_model, seed)

    def embedding_table(self, model: str, on_wait: OnWait | None = None) -> EmbeddingTable:
        """The input embedding matrix of a model, the same memory for every caller."""
        return embedding_table(self._loaded(TraceRequest(model), on_wait))

    def score(self, request: ScoreRequest, on_wait: OnWait | None = None) -> Scores:
        """log p(candidate | text) for each candidate, the text read once."""
        loaded = self._loaded(request, on_wait)
        self._require(loaded, "generate")
        candidates = self._candidate_ids(request, loaded)
        text_ids = self._input_ids(request, loaded)
        longest = max(map(len, candidates))
        self._check_window(len(text_ids) + longest, loaded)
        key = ("score", id(loaded), text_ids, candidates)
        n_tokens = len(text_ids) + longest * len(candidates)
        job = Job("score", key, ("score", id(loaded)), n_tokens, ScoreWork(loaded, text_ids, candidates))
        result = next(self._results(request, job, on_wait))
        assert isinstance(result, Scores)
        return result

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; closing the iterator cancels within one step."""
        check_settings(request, self._settings)
        loaded = self._loaded(request, on_wait)
        self._require(loaded, "generate")
        ids = self._input_ids(request, loaded)
        self._check_window(len(ids) + 1, loaded)
        job = Job("decode", request.request_id, id(loaded), len(ids), DecodeWork(loaded, request, ids))
        for step in self._results(request, job, on_wait):
            assert isinstance(step, GenerateStep)
            yield step

    def cancel(self, request_id: str) -> None:
        """Stop a request; its caller gets `Cancelled`."""
        self._scheduler.leave(request_id)

    def cancel_owner(self, owner: str) -> None:
        """Stop everything a session asked for."""
        self._scheduler.leave_owner(owner)

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
            cache_bytes=self._traces.size_bytes,
            cache_limit_bytes=self._traces.limit_bytes,
            model_bytes=self._table.size_bytes,
        )

    def close(self) -> None:
        """Stop the engine's threads; waiting callers get `Cancelled`."""
        self._scheduler.close()
        self._table.close()
        self._thread.join(timeout=10)

    # ---- waiting

    def _results(self, request: AnyRequest, job: Job, on_wait: OnWait | None) -> Iterator[object]:
        """What the model thread sends, until it is done; leaving early takes the request back."""
        started = time.monotonic()
        ticket = self._scheduler.submit(
            job, request_id=request.request_id, owner=request.owner, topic=request.topic
        )
        try:
            while True:
                value = self._next_value(ticket, request, started, on_wait)
                if value is DONE:
                    return
                if isinstance(value, Exception):
                    raise value
                if value is not None:
                    yield value
        finally:
            self._scheduler.leave(request.request_id)

    def _next_value(
        self, ticket: Ticket, request: AnyRequest, started: float, on_wait: OnWait | None
    ) -> object:
        timeout_s = request.timeout_s or self._settings.request_timeout_s
        while True:
            try:
                return ticket.outbox.get(timeout=POLL_S)
            except queue.Empty:
                waited_s = time.monotonic() - started
                if waited_s > timeout_s:
                    raise TimedOut(seconds=timeout_s) from None
                if on_wait is not None:
                    on_wait(Waiting(self._scheduler.position(ticket), waited_s, "ready", ""))

    def _loaded(self, request: AnyRequest, on_wait: OnWait | None) -> LoadedModel:
        """The model in memory, waiting for it (and saying so) when it is not there yet."""
        started = time.monotonic()
        future = self._table.load(request.model)
        while True:
            try:
                return future.result(timeout=POLL_S)
            except FutureTimeout:
                if future.done():
                    return future.result()
                if on_wait is not None:
                    state, message = self._table.state(request.model)
                    on_wait(Waiting(0, time.monotonic() - started, state, message))

    # ---- checking

    def _check_text(self, text: str) -> None:
        if len(text) > self._settings.max_text_chars:
            raise TextTooLong(limit=self._settings.max_text_chars, got=len(text))

    def _input_ids(self, request: Request, loaded: LoadedModel) -> tuple[int, ...]:
        given = None if isinstance(request, ScoreRequest) else request.input_ids
        if given is None:
            self._check_text(request.text)
            if not request.text:
                raise EmptyText
            given = loaded.tokenizer.encode(request.text)
        if not given:
            raise EmptyText
        if not all(0 <= token_id < loaded.info.d_vocab for token_id in given):
            raise BadValue(name="input_ids", value=str(given[:8]), allowed=f"0-{loaded.info.d_vocab - 1}")
        limit = min(self._settings.max_tokens, loaded.info.n_ctx or self._settings.max_tokens)
        if len(given) > limit:
            raise TooManyTokens(limit=limit, got=len(given))
        return given

    def _decoder_ids(self, request: TraceRequest, loaded: LoadedModel) -> tuple[int, ...]:
        if loaded.info.kind != "encoder-decoder":
            return ()
        start = loaded.model.config.decoder_start_token_id
        ids = loaded.tokenizer.encode(request.decoder_text, add_special_tokens=False)
        self._check_window(len(ids) + 1, loaded)
        return (start, *ids)

    def _candidate_ids(self, request: ScoreRequest, loaded: LoadedModel) -> tuple[tuple[int, ...], ...]:
        if not 0 < len(request.candidates) <= self._settings.max_candidates:
            allowed = f"1-{self._settings.max_candidates}"
            raise BadValue(name="candidates", value=len(request.candidates), allowed=allowed)
        ids = tuple(
            tuple(loaded.tokenizer.encode(candidate, add_special_tokens=False))
            for candidate in request.candidates
        )
        if not all(ids):
            raise EmptyText
        return ids

    def _capture(self, request: TraceRequest, loaded: LoadedModel, n_tokens: int) -> Capture:
        for wanted, capability in (
            (request.attentions, "attentions"),
            (request.hidden_states, "hidden_states"),
            (request.logits, "logits"),
        ):
            if wanted:
                self._require(loaded, capability)
        limit = self._settings.max_tokens_all_heads
        if request.attentions and n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)
        layers = request.hidden_states
        if isinstance(layers, tuple) and not all(0 <= layer <= loaded.info.n_layer for layer in layers):
            raise BadValue(name="hidden_states", value=str(layers), allowed=f"0-{loaded.info.n_layer}")
        return Capture(request.attentions, layers, request.logits)

    def _require(self, loaded: LoadedModel, capability: str) -> None:
        if capability not in loaded.info.capabilities:
            raise Unsupported(model_id=loaded.info.model_id, capability=capability)

    def _check_window(self, n_tokens: int, loaded: LoadedModel) -> None:
        limit = loaded.info.n_ctx or self._settings.max_tokens
        if n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)
