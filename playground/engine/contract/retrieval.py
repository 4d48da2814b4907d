"""The part of the engine contract that looks texts up: collections of chunks with their vectors, searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait
from playground.errors import Message

Metric = Literal["cosine", "l2", "dot"]
Way = Literal["vector", "text", "hybrid"]
BuildStatus = Literal["waiting", "embedding", "done", "stopped", "failed"]
METRICS: tuple[Metric, ...] = get_args(Metric)
WAYS: tuple[Way, ...] = get_args(Way)
BUILD_ENDED: tuple[BuildStatus, ...] = ("done", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class Document:
    """A text that can be looked up in.

    Attributes:
        name: Name that readers know it by: its source in the metadata.
        text: The text.
        language: Code of its language, "" if that is not known.
        dates: (first character, ISO day) of its parts, ascending: the day holds until the next part begins.
            Empty where no day is known.
        page_starts: Place in the text where each page begins, ascending; empty without pages.
    """

    name: str
    text: str
    language: str = ""
    dates: tuple[tuple[int, str], ...] = ()
    page_starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document, and its chunks.

    Attributes:
        document: The document.
        spans: (start, end) of each chunk in characters, from `core.chunks.cut`.
    """

    document: Document
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class BuildRequest(Asked):
    """A request for a collection of these documents.

    Attributes:
        model: The encoder that gives the vectors.
        documents: The documents with their chunks.
        replaces: Collection of the session that is forgotten once this one is there; "" for none.
        is_shared: True if everybody may search it: for documents that come with the playground.
    """

    documents: tuple[CutDocument, ...] = ()
    replaces: str = ""
    is_shared: bool = False
    topic: str = field(default="build", kw_only=True)


@dataclass(frozen=True, slots=True)
class Build:
    """State of a collection that is being built, as of one moment.

    Attributes:
        build_id: Id of the build.
        status: waiting (for its place, or for the model), embedding, done, stopped, failed.
        n_done, n_chunks: Chunks that have a vector, and all; equal chunks count once.
        n_known: Chunks whose vectors were known before it began.
        position: Place in the queue, 0 while it is being computed.
        elapsed_s: Seconds since it began.
        doing: Activity of the model while it is not ready; None when there is nothing to say.
        error: Reason of a failure.
        collection_id: The collection, once it is done.
    """

    build_id: str
    status: BuildStatus
    n_done: int
    n_chunks: int
    n_known: int = 0
    position: int = 0
    elapsed_s: float = 0.0
    doing: Message | None = None
    error: Message | None = None
    collection_id: str = ""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """Facts about a document of a collection, as of its `Document`; `n_chunks` it was cut into."""

    name: str
    language: str
    n_chars: int
    n_chunks: int


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection that can be searched.

    Attributes:
        collection_id: Id by which the engine knows it.
        model: The encoder of its vectors.
        documents: Its documents.
        n_chunks: Chunks of all.
        d_vector: Size of a vector.
        size_bytes: Memory it takes.
        is_shared: True if everybody may search it.
    """

    collection_id: str
    model: str
    documents: tuple[DocumentInfo, ...]
    n_chunks: int
    d_vector: int
    size_bytes: int
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a collection.

    Attributes:
        number: Its number in the collection, from 0.
        source: Name of its document.
        document: Number of its document, from 0.
        place: Its number in the document, from 0.
        start, end: Its characters in the document.
        page: Page it begins on, from 1; 0 without pages.
        language: That of the document.
        date: Day of the part of the document that it begins in, ISO, "" if that is not known.
        text: Its text.
        n_tokens: Tokens that the encoder read of it, with its prefix and frame.
        is_cut: True if it is longer than the encoder's window: only its beginning has a vector.
    """

    number: int
    source: str
    document: int
    place: int
    start: int
    end: int
    page: int
    language: str
    date: str
    text: str
    n_tokens: int
    is_cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """Everything in a collection.

    Attributes:
        chunks: The chunks, by their number.
        vectors: Their vectors, of length 1; nobody may write to them. Shape [n_chunks, d_vector].
    """

    chunks: tuple[Chunk, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ChunkFilter:
    """Metadata that a chunk needs to be found; what is empty asks nothing.

    Attributes:
        sources: Names of documents, any of them.
        languages: Codes, any of them.
        first_date, last_date: ISO days, both included; documents without a day are left out by either.
    """

    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    first_date: str = ""
    last_date: str = ""


@dataclass(frozen=True, slots=True)
class SearchRequest(Asked):
    """A request for the chunks that fit a query best.

    Attributes:
        model: The encoder of the collection.
        collection: Id of the collection.
        query: The query.
        way: By vectors; by text (BM25 over pieces of 2 and 3 characters); hybrid: both lists of at most
            `N_FUSED` chunks, fused by rank.
        metric: Similarity of vectors.
        n: Most chunks.
        where: Metadata filter; chunks outside it are not searched.
    """

    collection: str = ""
    query: str = ""
    way: Way = "vector"
    metric: Metric = "cosine"
    n: int = 5
    where: ChunkFilter = ChunkFilter()
    topic: str = field(default="search", kw_only=True)


N_FUSED = 50  # chunks of each list that a hybrid search fuses
RRF_K = 60  # reciprocal rank fusion: a chunk gets 1 / (K + rank) of each list it is in


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found.

    Attributes:
        number: Number of the chunk in the collection.
        value: cosine: cosine. dot: dot product. l2: Euclidean distance, the smaller the better. text: BM25
            score. hybrid: sum of 1 / (60 + rank).
        vector_rank, text_rank: Ranks in the two lists of a hybrid search, from 1; 0 where it is not in the
            list. Both 0 in the other ways.
    """

    number: int
    value: float
    vector_rank: int = 0
    text_rank: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Answer to a search.

    Attributes:
        hits: The chunks, best first.
        query_vector: The query's vector, of length 1; None of a search by text. Shape [d_vector].
        sql: The filter as the database got it, "" for none.
        search_s: Seconds that the database took, without the encoder.
    """

    hits: tuple[Hit, ...]
    query_vector: NDArray[np.float32] | None
    sql: str
    search_s: float


@dataclass(frozen=True, slots=True)
class EncodeRequest(Asked):
    """A request for the vectors of some texts.

    Attributes:
        model: The encoder.
        texts: The texts, at most `max_upload_rows`.
        are_queries: True puts the encoder's prefix of queries before them, False that of texts.
    """

    texts: tuple[str, ...] = ()
    are_queries: bool = False
    topic: str = field(default="encode", kw_only=True)


class Retrieval(Protocol):
    """The part of an engine that looks texts up.

    A collection belongs to the session that built it, and ends with it; no other session sees it.
    """

    def build(self, request: BuildRequest) -> str:
        """Begin to build a collection in the background; gives the id of the build.

        It replaces a build of the same session that has not ended. Vectors that are known stay known: what
        was stopped goes on where it was.

        Raises:
            TooManyDocuments, TooManyChunks, TextTooLong: More than allowed.
            EmptyText: There is no chunk with any text.
            BadValue: A chunk lies outside its document, or a date is none.
            NoRoom: The server is full.
        """
        ...

    def state(self, build_id: str, owner: str) -> Build | None:
        """State of a build of this session, None if it is not known."""
        ...

    def stop(self, build_id: str, owner: str) -> None:
        """Stop a build of this session within a batch of chunks; nothing of the collection is kept."""
        ...

    def of(self, owner: str) -> list[CollectionInfo]:
        """The collections of a session, oldest first; shared ones are nobody's."""
        ...

    def info(self, collection_id: str, owner: str) -> CollectionInfo:
        """Facts about a collection that this session may search.

        Raises:
            CollectionGone: It is no longer here, never was, or is another session's.
        """
        ...

    def content(self, collection_id: str, owner: str) -> Content:
        """All chunks and vectors of a collection.

        Raises:
            CollectionGone.
        """
        ...

    def remove(self, collection_id: str, owner: str) -> None:
        """Forget a collection of this session."""
        ...

    def search(self, request: SearchRequest, on_wait: OnWait | None = None) -> Found:
        """The chunks that fit a query best, found by the database.

        Raises:
            EmptyText, TextTooLong: The query cannot be.
            BadValue: A setting is out of range, or a date is none.
            CollectionGone, ModelError, BusyError.
        """
        ...

    def encode(self, request: EncodeRequest, on_wait: OnWait | None = None) -> NDArray[np.float32]:
        """Vectors of length 1. Shape [n_texts, d_vector].

        Raises:
            EmptyText, TextTooLong, BadValue, ModelError, BusyError.
        """
        ...
