"""Our questions looked up in our documents, cut into chunks of a size: what each way of searching finds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.core import shipped_documents as shipped
from playground.core.byte_cache import ByteCache
from playground.core.chunks import Chunking
from playground.core.documents import Kind, Question
from playground.core.metrics.ranking import Ranked
from playground.engine.contract.retrieval import (
    BUILD_ENDED,
    WAYS,
    BuildRequest,
    ChunkFilter,
    CutDocument,
    EncodeRequest,
    SearchRequest,
    Way,
)
from playground.ui import collections
from playground.ui.progress import Progress
from playground.ui.retrieval import collection
from playground.ui.state import PageContext, click_waits
from playground.ui.text import _, sentence

SIZES = (200, 400, 800, 1_600)  # characters of a chunk; a fifth of each is overlap
N_RANKS = 10
POLL_S = 0.2
AskedIn = Literal["same", "other"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Everything that decides what a measurement finds.

    Attributes:
        model, revision: The encoder.
        size: Characters of a chunk.
        language: Code of the documents' language.
        asked_in: "same", or "other": the questions in the other language of the documents.
    """

    model: str
    revision: str
    size: int
    language: str
    asked_in: AskedIn


@dataclass(frozen=True, slots=True)
class Searched:
    """Chunks that were found in one cell.

    Attributes:
        kinds: Kind of each question.
        found: Way -> what it found for each question.
    """

    kinds: tuple[Kind, ...]
    found: Mapping[Way, tuple[Ranked, ...]]

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, roughly."""
        return 500 + 300 * len(self.kinds) * len(self.found)

    @property
    def n_cut(self) -> int:
        """Questions whose passage no chunk holds whole."""
        return sum(not one.n_relevant for one in self.found["vector"])


_known: ByteCache[Searched] = ByteCache(2 * 2**20)  # of all readers: the documents and questions are ours


def known(cell: Cell) -> Searched | None:
    """Chunks that were found, if anybody has measured it."""
    return _known.get(cell)


def asked(cell: Cell) -> Iterator[tuple[str, Question, str]]:
    """(document's name, question that its text answers, words in which it is asked) of a cell."""
    for name in shipped.names():
        questions = shipped.questions(name, cell.language)
        code = cell.language
        if cell.asked_in == "other":
            (code,) = (other for other in shipped.languages() if other != cell.language)
        words = {one.question_id: one.text for one in shipped.questions(name, code)}
        yield from ((name, one, words[one.question_id]) for one in questions if one.answers)


def search(context: PageContext, cell: Cell, bar: Progress, total: int) -> Searched | None:
    """Search for every question in every way, and keep what is found for all readers.

    Args:
        context: From `frame.page`.
        cell: What is measured.
        bar: Progress of all cells.
        total: Searches of all cells.

    Returns:
        None after a click of the reader, or where no collection could be built (says why).

    Raises:
        PlaygroundError: As the engine raises it.
    """
    collection_id, done = _collection(context, cell, bar), 0
    if collection_id is None:
        return None
    questions = list(asked(cell))
    texts = tuple(text for _name, _question, text in questions)
    collections.encode(
        context, EncodeRequest(cell.model, texts=texts, are_queries=True, topic="ret_search_all")
    )
    chunks = collections.retrieval().content(collection_id, context.owner).chunks
    found: dict[Way, list[Ranked]] = {way: [] for way in WAYS}
    where = ChunkFilter(languages=(cell.language,))
    for _name, question, text in questions:
        n_relevant = sum(question.held_by(one.text) for one in chunks)
        for way in WAYS:
            request = SearchRequest(
                cell.model, owner=context.owner, collection=collection_id, query=text, way=way, n=N_RANKS,
                where=where, topic="ret_search",
            )  # fmt: skip
            hits = collections.retrieval().search(request).hits
            relevant = tuple(question.held_by(chunks[hit.number].text) for hit in hits)
            found[way].append(Ranked(relevant, n_relevant))
            done += 1
        bar.draw(done, _("{done} of {total} searches").format(done=done, total=total))
        if click_waits():
            return None
    kinds = tuple(question.kind for _name, question, _text in questions)
    searched = Searched(kinds, {way: tuple(each) for way, each in found.items()})
    _known.put(cell, searched)
    return searched


def chunking(size: int) -> Chunking:
    """The cut of a size: the page's own at first where it is of this size."""
    return collection.DEFAULT if size == collection.DEFAULT.size else Chunking("characters", size, size // 5)


def cuts(cell: Cell) -> tuple[CutDocument, ...]:
    """All our documents in chunks of the cell's size; those of both languages, as the page has them."""
    ours = [shipped.document(name, code) for code in shipped.languages() for name in shipped.names()]
    return tuple(
        collection.cut_document(cell.model, collection.of_shipped(one), chunking(cell.size)) for one in ours
    )


def _collection(context: PageContext, cell: Cell, bar: Progress) -> str | None:
    """Id of the collection of our documents in chunks of a size; None as `search` gives it."""
    request = BuildRequest(cell.model, cuts(cell), is_shared=True, owner=context.owner)
    build_id = collections.retrieval().build(request)
    while (now := collections.retrieval().state(build_id, context.owner)) is not None:
        if now.status == "failed" and now.error is not None:
            st.error(sentence(now.error))
        if now.status in BUILD_ENDED:
            return now.collection_id or None
        told = _("Vectors made: {done:,} of {total:,}").format(done=now.n_done, total=now.n_chunks)
        bar.draw(0, sentence(now.doing) if now.doing else told)
        if click_waits():
            collections.retrieval().stop(build_id, context.owner)
            return None
        time.sleep(POLL_S)
    return None
