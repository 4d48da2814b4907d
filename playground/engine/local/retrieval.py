"""The part of `LocalEngine` that looks texts up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from playground.core.tokens import well_formed
from playground.engine.contract.asked import Asked
from playground.engine.contract.limits import check_limits
from playground.engine.contract.models import AdapterName, Prefixes
from playground.engine.contract.pretraining import MODEL_PREFIX
from playground.engine.contract.retrieval import (
    METRICS,
    WAYS,
    Build,
    BuildRequest,
    CollectionInfo,
    Content,
    EncodeRequest,
    Found,
    SearchRequest,
)
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.forward.texts import chunks as batches
from playground.engine.forward.texts import n_tokens
from playground.engine.forward.traces import InputRow
from playground.engine.forward.vectors import VectorsWork
from playground.engine.local.ask import Ask, Backend
from playground.engine.models.catalogue import catalogue
from playground.engine.retrieval.builds import BuildTable
from playground.engine.retrieval.collections import (
    CollectionTable,
    chunk_texts,
    make,
    shared_id,
    size_bytes,
)
from playground.engine.retrieval.known import KnownVectors, TextVector
from playground.engine.retrieval.store import day_of, where_of
from playground.errors import (
    BadValue,
    Cancelled,
    EmptyText,
    Message,
    ModelNotFound,
    NotComputed,
    PlaygroundError,
    TextTooLong,
    TooManyChunks,
    TooManyDocuments,
    Unsupported,
)

log = logging.getLogger(__name__)
_READ_CHARS = 16_000  # of a text: 512 tokens are fewer
_TYPICAL_D = 384


class LocalRetrieval:
    """The `Retrieval` of this process.

    Args:
        backend: The backend that computes vectors.
        table: The collections.
    """

    def __init__(self, backend: Backend, table: CollectionTable) -> None:
        self._backend, self._table, self._settings = backend, table, backend.settings
        self._known = KnownVectors(backend.settings.known_vector_bytes)
        self._builds = BuildTable()

    # ---- collections

    def of(self, owner: str) -> list[CollectionInfo]:
        """The collections of a session, oldest first."""
        return [collection.info(one) for one, collection in self._table.owned.of(owner)]

    def info(self, collection_id: str, owner: str) -> CollectionInfo:
        """Facts about a collection that this session may search."""
        return self._table.get(collection_id, owner).info(collection_id)

    def content(self, collection_id: str, owner: str) -> Content:
        """All chunks and vectors of a collection."""
        return self._table.get(collection_id, owner).content

    def remove(self, collection_id: str, owner: str) -> None:
        """Forget a collection of this session."""
        self._table.owned.remove(collection_id, owner)

    # ---- building

    def build(self, request: BuildRequest) -> str:
        """Begin to build a collection in the background; gives the id of the build."""
        texts = self._checked(request)
        build_id, older = self._builds.begin(request, len(set(texts)))
        if older:
            self._backend.scheduler.leave(older)
        shared = shared_id(request.model, request.documents) if request.is_shared else ""
        if shared and self._table.has_shared(shared):
            n = len(set(texts))
            self._builds.update(build_id, status="done", n_done=n, n_known=n, collection_id=shared)
            return build_id
        arguments = (build_id, request, texts, shared)
        threading.Thread(target=self._build, args=arguments, name="collection", daemon=True).start()
        return build_id

    def state(self, build_id: str, owner: str) -> Build | None:
        """State of a build of this session, None if it is not known."""
        return self._builds.get(build_id, owner)

    def stop(self, build_id: str, owner: str) -> None:
        """Stop a build of this session within a batch of chunks."""
        if request_id := self._builds.stop(build_id, owner):
            self._backend.scheduler.leave(request_id)

    def _checked(self, request: BuildRequest) -> list[str]:
        """Texts of all chunks; refuses what cannot be a collection."""
        limits = self._settings
        self._prefixes(request.model)
        if len(request.documents) > limits.max_documents:
            raise TooManyDocuments(limit=limits.max_documents)
        for one in request.documents:
            n_chars = len(one.document.text)
            if n_chars > limits.max_document_chars:
                raise TextTooLong(limit=limits.max_document_chars, got=n_chars)
            for _place, day in one.document.dates:
                day_of(day)
            bad = [span for span in one.spans if not 0 <= span[0] < span[1] <= n_chars]
            if bad:
                raise BadValue(name="spans", value=str(bad[0]), allowed=f"0-{n_chars}")
        n_chunks = sum(len(one.spans) for one in request.documents)
        if n_chunks > limits.max_chunks:
            raise TooManyChunks(got=n_chunks, limit=limits.max_chunks)
        texts = list(chunk_texts(request.documents))
        if not texts:
            raise EmptyText
        if not request.is_shared:
            self._table.owned.check_room(request.owner, size_bytes(texts, _TYPICAL_D))
        return texts

    def _build(self, build_id: str, request: BuildRequest, texts: list[str], shared: str) -> None:
        """Work of the thread of a build."""

        def told(n_done: int, n_known: int) -> None:
            self._builds.update(
                build_id, status="embedding", n_done=n_done, n_known=n_known, position=0, doing=None
            )

        def waits(waiting: Waiting) -> None:
            self._builds.update(build_id, position=waiting.position, doing=waiting.message)

        try:
            later = self._settings.later_tokens
            found = self._vectors(request, texts, waits, told=told, later=later)
            collection = make(request.model, request.documents, found)
            if shared:
                self._table.share(shared, collection)
            collection_id = shared or self._table.owned.add(collection, request.owner)
            is_wanted = self._builds.update(build_id, status="done", collection_id=collection_id)
            self._table.owned.remove(request.replaces if is_wanted else collection_id, request.owner)
        except Cancelled:
            self._builds.update(build_id, status="stopped")
        except PlaygroundError as error:
            self._builds.update(build_id, status="failed", error=error.message)
        except Exception:
            log.exception("a collection could not be built")
            self._builds.update(build_id, status="failed", error=NotComputed().message)

    # ---- asking

    def search(self, request: SearchRequest, on_wait: OnWait | None = None) -> Found:
        """The chunks that fit a query best, found by the database."""
        collection = self._table.get(request.collection, request.owner)
        query = self._query(request)
        request = replace(request, model=collection.model)
        where = where_of(request.where)
        vector: NDArray[np.float32] | None = None
        if request.way != "text":
            (known,) = self._vectors(request, [query], on_wait, are_queries=True, supersedes=True)
            vector = known.vector
        begun, store = time.perf_counter(), collection.store
        if vector is None:
            hits = store.by_text(query, request.n, where)
        elif request.way == "vector":
            hits = store.by_vector(vector, request.metric, request.n, where)
        else:
            hits = store.hybrid(vector, request.metric, query, request.n, where)
        return Found(hits, vector, "" if where is None else where.sql, time.perf_counter() - begun)

    def _query(self, request: SearchRequest) -> str:
        for name, value, allowed in (("way", request.way, WAYS), ("metric", request.metric, METRICS)):
            if value not in allowed:
                raise BadValue(name=name, value=value, allowed=", ".join(allowed))
        check_limits({"n": (request.n, 1, self._settings.max_hits)})
        query = well_formed(request.query).strip()
        if not query:
            raise EmptyText
        self._backend.checks.check_text(query)
        return query

    def encode(self, request: EncodeRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of length 1. Shape [n_texts, d_vector]."""
        limit = self._settings.max_upload_rows
        if not 0 < len(request.texts) <= limit:
            raise BadValue(name="texts", value=len(request.texts), allowed=f"1-{limit}")
        for text in request.texts:
            if not text.strip():
                raise EmptyText
            self._backend.checks.check_text(text)
        found = self._vectors(request, request.texts, on_wait, are_queries=request.are_queries)
        return np.stack([one.vector for one in found])

    # ---- vectors

    def _vectors(
        self,
        request: Asked,
        texts: Sequence[str],
        on_wait: OnWait | None,
        *,
        told: Callable[[int, int], None] = lambda _n_done, _n_known: None,
        are_queries: bool = False,
        later: int = 0,
        supersedes: bool = False,
    ) -> list[TextVector]:
        """The vector of each text: what is not known is computed, batch by batch.

        Args:
            request: The request they belong to.
            texts: The texts, without prefix.
            on_wait: Told while it waits.
            told: Called with the numbers of different texts that are done, and that were known.
            are_queries: Kind of prefix.
            later: Tokens of others that go before each batch.
            supersedes: True ends an older request of its session and topic.
        """
        model = request.model
        prefixes = self._prefixes(model)
        prefix = prefixes.query if are_queries else prefixes.text
        whole = [prefix + text for text in texts]
        found = {text: one for text in set(whole) if (one := self._known.get(model, text)) is not None}
        missing, n_known = [text for text in dict.fromkeys(whole) if text not in found], len(found)
        told(n_known, n_known)
        if missing:
            with self._backend.ask(request, "trace", on_wait, supersedes=supersedes) as ask:
                for text, one in self._computed(ask, missing, later):
                    self._known.put(model, text, one)
                    found[text] = one
                    told(len(found), n_known)
        return [found[text] for text in whole]

    def _prefixes(self, model: str) -> Prefixes:
        base_id = AdapterName.of(model).base_id
        if base_id.startswith(MODEL_PREFIX):
            return Prefixes()
        entry = catalogue(self._settings).get(base_id)
        if entry is None:
            raise ModelNotFound(model_id=model, cure=f"llm-playground pull {model}")
        return entry.prefixes

    def _computed(self, ask: Ask, texts: Sequence[str], later: int) -> Iterator[tuple[str, TextVector]]:
        info = ask.loaded.info
        if info.kind == "encoder-decoder":
            raise Unsupported(model_id=info.model_id, capability=Message("sentence vectors"))
        limit = min(
            info.max_seq_length or info.n_ctx or 10**9, info.n_ctx or 10**9, self._settings.max_tokens
        )
        of_row: dict[InputRow, list[tuple[str, bool]]] = {}
        for text in texts:
            ids = ask.loaded.tokenizer.beginning(text[:_READ_CHARS], limit + 1)
            is_cut = len(ids) > limit or len(text) > _READ_CHARS
            if len(ids) > limit:
                ids = ask.loaded.tokenizer.beginning(text[:_READ_CHARS], limit)
            of_row.setdefault(InputRow(ids), []).append((text, is_cut))
        for batch in batches(of_row, self._settings.prefill_chunk_tokens):
            work, key = VectorsWork(ask.loaded, batch), ("vectors", info.model_id, batch)
            for row, vector in zip(
                batch, ask.compute(work, n_tokens(batch), key=key, later=later), strict=True
            ):
                for text, is_cut in of_row[row]:
                    yield text, TextVector(vector, len(row.input_ids), is_cut)
