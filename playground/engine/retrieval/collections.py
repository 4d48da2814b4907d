"""Collections of chunks: those of sessions, which end with them, and those that everybody may search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter

import numpy as np

from playground.core.byte_cache import ByteCache
from playground.engine.contract.retrieval import Chunk, CollectionInfo, Content, CutDocument, DocumentInfo
from playground.engine.models.owned import Departures, Owned
from playground.engine.retrieval.known import TextVector
from playground.engine.retrieval.store import ChunkStore
from playground.errors import CollectionGone, TooManyCollections
from playground.settings import Settings

SHARED = "shared-"  # before the id of a collection that everybody may search
_TEXT_COPIES = 4  # ours, the database's, and its index: measured 3 to 4 times the text


@dataclass(frozen=True, eq=False)
class Collection:
    """A collection; never changed.

    Attributes:
        model: The encoder of its vectors.
        documents: Facts about its documents.
        content: Its chunks and vectors.
        store: Its database.
    """

    model: str
    documents: tuple[DocumentInfo, ...]
    content: Content
    store: ChunkStore

    @property
    def size_bytes(self) -> int:
        """Memory of vectors and texts, ours and the database's."""
        return size_bytes([chunk.text for chunk in self.content.chunks], self.content.vectors.shape[1])

    def info(self, collection_id: str) -> CollectionInfo:
        """Facts that readers see."""
        n, d = self.content.vectors.shape
        is_shared = collection_id.startswith(SHARED)
        return CollectionInfo(collection_id, self.model, self.documents, n, d, self.size_bytes, is_shared)


def size_bytes(texts: Sequence[str], d_vector: int) -> int:
    """Memory that a collection of these chunks takes."""
    n_bytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return 2 * 4 * d_vector * len(texts) + _TEXT_COPIES * n_bytes


def chunk_texts(documents: Sequence[CutDocument]) -> Iterator[str]:
    """The texts of all chunks that have any."""
    for one in documents:
        yield from (text for span in one.spans if (text := one.document.text[slice(*span)].strip()))


def make(model: str, documents: Sequence[CutDocument], vectors: Sequence[TextVector]) -> Collection:
    """Put a collection together.

    Args:
        model: The encoder.
        documents: The documents with their chunks.
        vectors: The vector of each text of `chunk_texts`.
    """
    chunks = tuple(_chunks(documents, vectors))
    matrix = np.stack([one.vector for one in vectors])
    matrix.flags.writeable = False
    counts = [sum(chunk.document == number for chunk in chunks) for number in range(len(documents))]
    infos = tuple(
        DocumentInfo(cut.document.name, cut.document.language, len(cut.document.text), n)
        for cut, n in zip(documents, counts, strict=True)
    )
    return Collection(model, infos, Content(chunks, matrix), ChunkStore(chunks, matrix))


def _chunks(documents: Sequence[CutDocument], vectors: Sequence[TextVector]) -> Iterator[Chunk]:
    number = 0
    for at, cut in enumerate(documents):
        document, place = cut.document, 0
        for start, end in cut.spans:
            text = document.text[start:end]
            begins = start + len(text) - len(text.lstrip())
            if not (text := text.strip()):
                continue
            page = bisect_right(document.page_starts, begins)
            part = bisect_right(document.dates, begins, key=itemgetter(0))
            day = document.dates[part - 1][1] if part else ""
            yield Chunk(
                number, document.name, at, place, begins, begins + len(text), page, document.language,
                day, text, vectors[number].n_tokens, vectors[number].is_cut,
            )  # fmt: skip
            number, place = number + 1, place + 1


class CollectionTable:
    """All collections. Safe to share between threads.

    Args:
        settings: The limits.
        departures: The sessions that have left.
        on_orphan: Called when a collection comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, departures: Departures, on_orphan: Callable[[], None]) -> None:
        most = settings.max_collections_per_session
        self.owned = Owned[Collection](
            departures,
            lambda collection: collection.size_bytes,
            most=most,
            most_bytes=settings.max_collection_bytes,
            too_many=lambda: TooManyCollections(limit=most),
            on_orphan=on_orphan,
        )
        self._shared: ByteCache[Collection] = ByteCache(settings.shared_collection_bytes)

    def get(self, collection_id: str, owner: str) -> Collection:
        """A collection that this session may search.

        Raises:
            CollectionGone: It is no longer here, never was, or is another session's.
        """
        found = self._shared.get(collection_id)
        if found is None and self.owned.belongs(collection_id, owner):
            found = self.owned.get(collection_id)
        if found is None:
            raise CollectionGone
        return found

    def share(self, collection_id: str, collection: Collection) -> None:
        """Keep a collection for everybody, until those used later need its room."""
        self._shared.put(collection_id, collection)

    def has_shared(self, collection_id: str) -> bool:
        """True if a collection is there for everybody."""
        return self._shared.get(collection_id) is not None


def shared_id(model: str, documents: Sequence[CutDocument]) -> str:
    """The id of a collection for everybody: the same for the same documents, cut the same way."""
    digest = sha256(repr((model, tuple(documents))).encode("utf-8", "surrogatepass"))
    return f"{SHARED}{digest.hexdigest()[:16]}"
