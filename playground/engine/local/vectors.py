"""Vectors of the models of this process: of tokens from the table, and of many texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playground.core.embeddings import EmbeddingTable
from playground.core.trace import Trace
from playground.engine.contract.asked import Asked
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TextRead, TracesRequest
from playground.engine.contract.waiting import OnWait
from playground.engine.forward.embedding import embedding_table, untrained_vectors
from playground.engine.forward.texts import TextsWork, chunks, n_tokens
from playground.engine.forward.traces import InputRow, trace_key
from playground.engine.local.ask import Ask, Backend
from playground.engine.models.continuations import Ids
from playground.errors import BadValue, InputError, Message, Unsupported


class LocalVectors:
    """The part of `LocalEngine` that gives vectors. See `contract.vectors.Vectors` for the contract."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def embedding_table(self, model: str, on_wait: OnWait | None = None) -> EmbeddingTable:
        """The input embedding matrix of a model, the same memory for every caller."""
        with self._backend.ask(Asked(model), "trace", on_wait) as ask:
            return embedding_table(ask.loaded)

    def untrained_vectors(self, n_vectors: int, d_model: int, seed: int) -> NDArray[np.float32]:
        """The weights a new embedding layer starts with. Shape [n_vectors, d_model]."""
        return untrained_vectors(n_vectors, d_model, seed)

    def traces(self, request: TracesRequest, on_wait: OnWait | None = None) -> Iterator[TextRead]:
        """(place in `texts`, its trace or why it cannot be read), in the order they are ready.

        Texts that are equal are read once; a text read before comes from the cache.
        """
        with self._backend.ask(request, "trace", on_wait) as ask:
            capture = Capture(hidden_states=request.hidden_states)
            capture = self._backend.checks.capture(capture, ask.loaded, 0)
            self._check(request, ask)
            places: dict[InputRow, list[int]] = {}
            for place, text in enumerate(request.texts):
                try:
                    places.setdefault(InputRow(self._ids(ask, request, text)), []).append(place)
                except InputError as error:
                    yield place, error
            for row, trace in self._read(ask, list(places), capture):
                yield from ((place, trace) for place in places[row])

    def _check(self, request: TracesRequest, ask: Ask) -> None:
        limit = self._backend.settings.max_upload_rows
        if len(request.texts) > limit:
            raise BadValue(name="texts", value=len(request.texts), allowed=f"0-{limit}")
        if ask.loaded.info.kind == "encoder-decoder":
            raise Unsupported(model_id=ask.loaded.info.model_id, capability=Message("sentence vectors"))

    def _ids(self, ask: Ask, request: TracesRequest, text: str) -> Ids:
        """Token ids of one text, of a long one its first."""
        one = TraceRequest(request.model, text)
        if request.max_tokens and len(text) <= self._backend.settings.max_text_chars:
            one = replace(one, input_ids=ask.loaded.tokenizer.beginning(text, request.max_tokens))
        return ask.ids(one)

    def _read(self, ask: Ask, rows: list[InputRow], capture: Capture) -> Iterator[tuple[InputRow, Trace]]:
        """Each row with its trace: first those that are known, then chunk by chunk."""
        cache, loaded = self._backend.cache, ask.loaded
        known = {row: cache.get(trace_key(loaded, row, capture)) for row in rows}
        for row, trace in known.items():
            if isinstance(trace, Trace):
                yield row, replace(trace, cached=True)
        unknown = [row for row, trace in known.items() if trace is None]
        del known  # a big file would keep alive what the cache wants to drop
        for chunk in chunks(unknown, self._backend.settings.prefill_chunk_tokens):
            made = ask.compute(TextsWork(loaded, chunk, capture), n_tokens(chunk))
            for row, trace in zip(chunk, made, strict=True):
                cache.put(trace_key(loaded, row, capture), trace)
                yield row, trace
