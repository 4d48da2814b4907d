"""The collection that the page looks up in: shipped documents and the reader's own, cut and embedded."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import streamlit as st

from playground.core import shipped_documents as shipped
from playground.core.chunks import Chunking, boundaries, cut
from playground.core.documents import Document as Shipped
from playground.core.tokens import Tokenization
from playground.engine.contract.retrieval import (
    BUILD_ENDED,
    Build,
    BuildRequest,
    CollectionInfo,
    Content,
    CutDocument,
    Document,
)
from playground.errors import CollectionGone, PlaygroundError
from playground.ui import collections, compute, frame, roles, warming
from playground.ui.components.chunk_cuts import possible
from playground.ui.progress import left
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, plain, sentence
from playground.ui.url import hidden, put

OWN, BUILT, EMBEDDED = "ret_own", collections.BUILT, "ret_embedded"
for _key in (OWN, BUILT, EMBEDDED):
    outlives_reload(_key)
BUILD = "ret_build"
CUT = "ret_cut"  # the chunk settings in the URL: measure-size-overlap-ends
DEFAULT = Chunking()
_KOREAN = "한국어"  # documents are Korean too: their encoder reads both
_MOST_DIGITS = 9
_AT_ONCE_S = 3.0  # of a build whose vectors are known
_POLL_S = 0.05
_TOKENIZED_CHARS = 4_000  # at a time; ends of tokens are found piece by piece


@dataclass(frozen=True, eq=False)
class Current:
    """The collection that is searched now.

    Attributes:
        model: Id of its encoder.
        documents: Its documents, in the order of `Chunk.document`.
        chunking: How they were cut.
        info, content: Facts about it, and everything in it.
    """

    model: str
    documents: tuple[Document, ...]
    chunking: Chunking
    info: CollectionInfo
    content: Content

    @property
    def collection_id(self) -> str:
        """Id by which the engine knows it."""
        return self.info.collection_id


@dataclass(frozen=True)
class _Key:
    """Everything that decides what is in a collection."""

    model: str
    chunking: Chunking
    own: tuple[Document, ...]


@dataclass(frozen=True)
class _Running:
    """A build that this session has begun."""

    key: _Key
    build_id: str


# ---- documents


def of_shipped(one: Shipped) -> Document:
    """A shipped document as the engine takes it, each part with its day."""
    first = (0, one.written(0).isoformat())
    dates = tuple((part.span[0], part.written.isoformat()) for part in one.sections)
    return Document(one.title, one.text, one.language, (first, *dates))


def own_documents() -> tuple[Document, ...]:
    """The documents of the reader, oldest first."""
    found: tuple[Document, ...] = st.session_state.get(OWN, ())
    return found


def documents() -> tuple[Document, ...]:
    """All documents that are looked up in: those of the playground in both languages, then the reader's."""
    ours = [shipped.document(name, code) for code in shipped.languages() for name in shipped.names()]
    return (*map(of_shipped, ours), *own_documents())


def add(document: Document) -> None:
    """Put in a document of the reader; its name becomes one that no other has."""
    taken, name, n = {one.name for one in documents()}, document.name, 1
    while name in taken:
        n += 1
        name = f"{document.name} ({n})"
    st.session_state[OWN] = (*own_documents(), replace(document, name=name))


def take_out(name: str) -> None:
    """Take out a document of the reader; a callback."""
    st.session_state[OWN] = tuple(one for one in own_documents() if one.name != name)


# ---- chunks


def drawn_chunking() -> Chunking:
    """The settings of the cut that the page shows, from the URL."""
    with st.container():
        return read_chunking(hidden(CUT)) or DEFAULT


def put_chunking(how: Chunking) -> None:
    """Other settings of the cut; call it before `drawn_chunking`, as callbacks do."""
    put(CUT, "" if how == DEFAULT else f"{how.measure}-{how.size}-{how.overlap}-{how.ends}")


def read_chunking(written: str) -> Chunking | None:
    """The settings that a link holds, None where it holds none that can be.

    Example:
        >>> read_chunking("tokens-90-10-words"), read_chunking("tokens-x"), read_chunking("")
        (Chunking(measure='tokens', size=90, overlap=10, ends='words'), None, None)
    """
    parts = dict(zip(("measure", "size", "overlap", "ends"), written.split("-"), strict=False))
    return possible({name: _number(one) for name, one in parts.items()})


def _number(written: str) -> int | str:
    return int(written) if written.isdecimal() and len(written) < _MOST_DIGITS else written


def token_ends(model: str, text: str) -> tuple[int, ...]:
    """End of each token of a text in characters, ascending."""
    found = boundaries(text)
    ends: list[int] = []
    start = 0
    while start < len(text):
        fitting = [word for word in found.words if start < word <= start + _TOKENIZED_CHARS]
        end = fitting[-1] if fitting else min(len(text), start + _TOKENIZED_CHARS)
        tokens: Tokenization = compute.tokenizers().tokenize(model, text[start:end], add_special_tokens=False)
        ends += [start + stop for _first, stop in tokens.offsets]
        start = end
    return tuple(ends)


def cut_document(model: str, document: Document, how: Chunking) -> CutDocument:
    """A document in chunks."""
    ends = token_ends(model, document.text) if how.measure == "tokens" else ()
    return CutDocument(document, cut(boundaries(document.text, ends), how))


# ---- the collection


def encoder(context: PageContext) -> str:
    """Id of the encoder: the chosen model where it is one, otherwise one that reads both languages."""
    if context.model.kind == "encoder":
        return context.model.model_id
    return roles.encoder_of(_KOREAN)


def current(context: PageContext) -> Current | None:
    """The collection to search now; while it is being built, the one before it.

    Draws what is going on. None while there is none.
    """
    model = encoder(context)
    key = _Key(model, st.session_state.get(EMBEDDED, DEFAULT), own_documents())
    built: tuple[_Key, str] | None = st.session_state.get(BUILT)
    if built is None or built[0] != key:
        _build(context, key, "" if built is None else built[1])
        built = st.session_state.get(BUILT)
    if built is None:
        return None
    try:
        info = collections.retrieval().info(built[1], context.owner)
        content = collections.retrieval().content(built[1], context.owner)
    except CollectionGone:  # a shared one that others' have pushed out, or the session was away too long
        st.session_state.pop(BUILT)
        return current(context) if built[0] == key else None
    documents_now = (*documents()[: len(documents()) - len(own_documents())], *built[0].own)
    return Current(built[0].model, documents_now, built[0].chunking, info, content)


def warm(context: PageContext) -> None:
    """Have the encoder loaded in the background: a question of the reader's own needs it."""
    model = encoder(context)
    if any(info.model_id == model and info.state == "waiting" for info in compute.models()):
        compute.load(model)


def embed(how: Chunking) -> None:
    """Have the documents cut another way and embedded; a callback."""
    st.session_state[EMBEDDED] = how
    st.session_state.pop(BUILD, None)


def _build(context: PageContext, key: _Key, before: str) -> None:
    """Begin what is not begun yet, and draw how far it is."""
    running: _Running | None = st.session_state.get(BUILD)
    if running is None or running.key != key:
        if not _can_embed(key.model):
            return
        try:
            running = _begin(context, key, before)
        except PlaygroundError as error:
            st.error(sentence(error))
            return
    with st.spinner(_("Looking through the documents")):
        state = _soon(running, context.owner)
    if state is None:  # forgotten by the engine
        st.session_state.pop(BUILD)
    elif state.status == "done":
        st.session_state[BUILT] = key, state.collection_id
        st.session_state.pop(BUILD)
    elif state.status == "failed" and state.error is not None:
        st.error(sentence(state.error))
        _again(_("Try again"))
    elif state.status == "stopped":
        told = _("Stopped after {n:,} of {total:,} vectors.")
        st.info(told.format(n=state.n_done, total=state.n_chunks))
        _again(_("Go on"))
    else:
        _progress(running, context.owner)


def _can_embed(model: str) -> bool:
    """True if the model is on this machine; else draw what can be done."""
    infos = {info.model_id: info for info in compute.models()}
    if model not in infos or infos[model].state in ("waiting", "loading", "ready"):
        return True
    return warming.model_when_ready(frame.choices()[model]) is not None


def _begin(context: PageContext, key: _Key, before: str) -> _Running:
    cuts = tuple(cut_document(key.model, one, key.chunking) for one in documents())
    request = BuildRequest(key.model, cuts, replaces=before, is_shared=not key.own, owner=context.owner)
    running = st.session_state[BUILD] = _Running(key, collections.retrieval().build(request))
    return running


def _soon(running: _Running, owner: str) -> Build | None:
    """State of a build; one that is new is waited for a little."""
    until = time.monotonic() + _AT_ONCE_S
    while True:
        state = collections.retrieval().state(running.build_id, owner)
        is_soon = state is not None and state.status not in BUILD_ENDED and state.elapsed_s < _AT_ONCE_S
        if not is_soon or time.monotonic() > until:
            return state
        time.sleep(_POLL_S)


@st.fragment(run_every=1.0, key="ret_progress")
def _progress(running: _Running, owner: str) -> None:
    """Progress of a build; the page is drawn anew when it ends."""
    state = collections.retrieval().state(running.build_id, owner)
    if state is None or state.status in BUILD_ENDED:
        st.rerun()
    bar_at, stop_at = st.columns([6, 1], vertical_alignment="center")
    bar_at.progress(state.n_done / max(1, state.n_chunks), plain(_words(state)))
    stop_at.button(
        _("Stop"), key="ret_stop", icon=":material/stop:", on_click=collections.retrieval().stop,
        args=(running.build_id, owner),
    )  # fmt: skip


def _words(state: Build) -> str:
    if state.doing is not None:
        return sentence(state.doing)
    words = [_("Vectors made: {done:,} of {total:,}").format(done=state.n_done, total=state.n_chunks)]
    if state.n_done == state.n_chunks:
        words.append(_("they go into the database"))
    if state.position > 1:
        words.append(_("Waiting: place {position} in the queue").format(position=state.position))
    n_new = state.n_done - state.n_known
    if n_new > 0:
        words.append(left(state.elapsed_s / n_new * (state.n_chunks - state.n_done)))
    words.append(_("other pages stay usable meanwhile"))
    return " · ".join(filter(None, words))


def _again(label: str) -> None:
    st.button(
        label, key="ret_again", icon=":material/play_arrow:", on_click=st.session_state.pop,
        args=(BUILD, None),
    )  # fmt: skip
