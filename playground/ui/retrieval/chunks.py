"""Documents and chunks: one document with its cuts, which move while dragging; the reader's own documents."""

from __future__ import annotations

import streamlit as st

from playground.core.chunks import Boundaries, Chunking, Span, boundaries, cut
from playground.core.tables import retrieval as frames
from playground.engine.contract.retrieval import Document
from playground.ui import show
from playground.ui.choose import choose_from_list
from playground.ui.components.chunk_cuts import chunk_cuts
from playground.ui.retrieval import asking, collection, uploading
from playground.ui.retrieval.collection import Current
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain

SHOWN_CHARS = 20_000  # of a document whose cuts are drawn
KEY, DOCUMENT = "ret_cuts", "ret_doc"


def panel(context: PageContext) -> None:
    """Draw the document, its cuts, what they cost, and the field for own documents."""
    heading_at, document_at = st.columns([3, 2], vertical_alignment="bottom")
    heading_at.markdown(f"## {_('Where is a document cut, and what does the search read?')}")
    with document_at:
        document = chosen(context)
    how = collection.drawn_chunking()
    found = _found(context, document, how)
    text = document.text[:SHOWN_CHARS]
    now = collection.current(context)
    best = _best(context, now, document, how)
    chunk_cuts(
        text, _beginning(found, len(text)), how, best=best, key=KEY, language=context.language,
        on_change=collection.put_chunking,
    )  # fmt: skip
    if len(text) < len(document.text):
        told = _("Shown are the first {n:,} of {total:,} characters; the whole document is searched.")
        st.caption(told.format(n=len(text), total=len(document.text)))
    _say(now, document, how, found, best)
    _collection(now, how)
    source = {"document": document.name, "text": document.text, "measure": how.measure, "size": how.size}
    source |= {"overlap": how.overlap, "ends": how.ends, "token_ends": list(found.tokens)}
    show.under_picture(
        "retrieval_chunks",
        frame=lambda: frames.cuts(cut(found, how), document.text),
        code=lambda: show.code("retrieval_chunks", **source),
    )
    uploading.field()


def chosen(context: PageContext) -> Document:
    """Draw the list of documents; the one that is shown."""
    every = _ordered(context)
    names = {number: one.name for number, one in every.items()}
    return every[choose_from_list(DOCUMENT, names, _("Document"))]


def wanted(context: PageContext) -> Document:
    """The document of the link, or the first in the reader's language."""
    every = _ordered(context)
    return every.get(str(st.session_state.get(DOCUMENT, ""))) or next(iter(every.values()))


def _ordered(context: PageContext) -> dict[str, Document]:
    """Number in the link -> document; those in the reader's language first."""
    every = {str(number): one for number, one in enumerate(collection.documents())}
    order = sorted(every, key=lambda number: every[number].language != context.language)
    return {number: every[number] for number in order}


def _found(context: PageContext, document: Document, how: Chunking) -> Boundaries:
    model = collection.encoder(context)
    ends = collection.token_ends(model, document.text) if how.measure == "tokens" else ()
    return boundaries(document.text, ends)


def _beginning(found: Boundaries, n: int) -> Boundaries:
    """The boundaries of the first characters of a text."""
    if n == found.n_chars:
        return found
    words, sentences = ((*(end for end in ends if end < n), n) for ends in (found.words, found.sentences))
    return Boundaries(n, words, sentences, tuple(end for end in found.tokens if end <= n))


def _best(context: PageContext, now: Current | None, document: Document, how: Chunking) -> Span | None:
    """The chunk of this document that the question finds first; None while it is cut otherwise."""
    if now is None or now.chunking != how or document not in now.documents:
        return None
    hits = asking.hits(context, now, "vector", n=1, source=document.name)
    if not hits:
        return None
    chunk = now.content.chunks[hits[0].number]
    return chunk.start, chunk.end


def _say(
    now: Current | None, document: Document, how: Chunking, found: Boundaries, best: Span | None
) -> None:
    """Say how many chunks the cut makes, and which one the question finds."""
    n = len(cut(found, how))
    told = ngettext("{name}: {n:,} chunk.", "{name}: {n:,} chunks.", n).format(name=plain(document.name), n=n)
    if best is not None and now is not None:
        spans = [(chunk.start, chunk.end) for chunk in now.content.chunks if chunk.source == document.name]
        told += " " + _("For “{question}” the search by vectors finds chunk {k} first.").format(
            question=plain(asking.question()), k=spans.index(best) + 1
        )
    st.markdown(told)


def _collection(now: Current | None, how: Chunking) -> None:
    """Say what is searched, with the button that embeds these cuts."""
    if now is None:
        return
    info = now.info
    told = _(
        "In the database: documents {documents}, chunks {n:,}, each with a vector of {d} numbers; "
        "{mb:.1f} MB."
    )
    words = told.format(
        documents=len(info.documents), n=info.n_chunks, d=info.d_vector, mb=info.size_bytes / 2**20
    )
    n_cut = sum(chunk.is_cut for chunk in now.content.chunks)
    if n_cut:
        more = ngettext(
            "{n} chunk is longer than the encoder's window: its vector knows only the beginning.",
            "{n} chunks are longer than the encoder's window: their vectors know only their beginnings.",
            n_cut,
        )
        words += " " + more.format(n=n_cut)
    st.caption(words)
    if now.chunking != how:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                _("Embed these chunks"), type="primary", key="ret_embed", icon=":material/database:",
                on_click=collection.embed, args=(how,),
            )  # fmt: skip
            st.caption(
                _("Cutting costs nothing. Until you embed these chunks, the search knows the ones before."),
                width="stretch",
            )
