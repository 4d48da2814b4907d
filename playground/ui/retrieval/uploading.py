"""The reader's own documents: a file that came, how it is read, its beginning, and the click that uses it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import streamlit as st

from playground.core.files.documents import SUFFIXES, DocumentText, language_of, read_pdf, read_text
from playground.core.files.encoding import Encoding, EncodingGuess, guess_encoding
from playground.core.files.pdf_pages import PdfLimits
from playground.core.files.rows import suffix_of
from playground.engine.contract.retrieval import Document
from playground.errors import BadFile, Message, PlaygroundError, TooManyDocuments
from playground.ui import state, uploads
from playground.ui.choose import told_apart
from playground.ui.retrieval import collection
from playground.ui.text import _, ngettext, plain, sentence

KEY = "ret_file"
_DRAFT = f"{KEY}_draft"
_SHOWN_CHARS = 300
_ENCODINGS: dict[Encoding, str] = {
    "utf-8": "UTF-8", "utf-16": "UTF-16", "cp949": "CP949 (EUC-KR)", "cp1252": "Windows-1252",
}  # fmt: skip


@dataclass(frozen=True)
class _Draft:
    """A file that came and is not used yet; its bytes are dropped once it is read for good."""

    name: str
    data: bytes
    weighed: EncodingGuess | None = None
    read: DocumentText | None = None


def field() -> None:
    """Draw the field, the preview of what came, and the reader's documents."""
    limit = state.settings()
    told = _("Your documents: .txt, .md or .pdf, up to {mb:.0f} MB (pages: {pages}, characters: {n:,})")
    mb, pages = limit.max_document_bytes / 2**20, limit.max_document_pages
    label = told.format(mb=mb, pages=pages, n=limit.max_document_chars)
    uploads.field(KEY, label, SUFFIXES, limit.max_document_bytes, _keep)
    if uploads.is_refused(KEY):  # a sentence about one file above another would be read as its own
        st.session_state.pop(_DRAFT, None)
    draft: _Draft | None = st.session_state.get(_DRAFT)
    if draft is not None:
        with st.container(border=True, key=f"{KEY}_preview"):
            _preview(draft)
    for number, document in enumerate(collection.own_documents()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{plain(document.name)} · {_characters(document.text)}", width="content")
            st.button(
                _("Take out"), key=f"ret_out_{number}", icon=":material/delete:",
                on_click=collection.take_out, args=(document.name,),
            )  # fmt: skip


def _keep(name: str, data: bytes) -> None:
    weighed = None if suffix_of(name) == "pdf" else guess_encoding(data)
    st.session_state[_DRAFT] = _Draft(name, data, weighed)


def _preview(draft: _Draft) -> None:
    st.markdown(f"**{plain(draft.name)}**")
    try:
        read = draft.read or (_text(draft) if draft.weighed is not None else _pdf(draft))
        used = sum(len(one.text) for one in collection.own_documents())
        limit = state.settings().max_document_chars
        if used + len(read.text) > limit:
            told = Message(
                "with your other documents it has {got:,} characters, and the limit is {limit:,}.",
                (("got", used + len(read.text)), ("limit", limit)),
            )
            raise BadFile(reason=told)
        if len(collection.documents()) >= state.settings().max_documents:
            raise TooManyDocuments(limit=state.settings().max_documents)
    except PlaygroundError as error:
        st.error(sentence(error))
        st.button(_("Put it away"), key=f"{KEY}_away", on_click=_put_away)
        return
    said = [_characters(read.text)]
    if read.page_starts:
        n = len(read.page_starts)
        said.append(ngettext("{n:,} page", "{n:,} pages", n).format(n=n))
    st.caption(" · ".join(said))
    if read.n_unread:
        words = ngettext("{n} page cannot be read.", "{n} pages cannot be read.", read.n_unread)
        st.warning(words.format(n=read.n_unread))
    st.code(read.text[:_SHOWN_CHARS] + ("…" if len(read.text) > _SHOWN_CHARS else ""), None, wrap_lines=True)
    with st.container(horizontal=True):
        st.button(
            _("Use this document"), type="primary", key=f"{KEY}_use", on_click=_use, args=(read,),
            icon=":material/check:",
        )  # fmt: skip
        st.button(_("Put it away"), key=f"{KEY}_away", on_click=_put_away)


def _text(draft: _Draft) -> DocumentText:
    assert draft.weighed is not None
    encoding: Encoding | None = draft.weighed.encodings[0]
    if not draft.weighed.is_sure or len(draft.weighed.encodings) > 1:
        names = told_apart({one: _ENCODINGS[one] for one in draft.weighed.encodings})
        encoding = st.selectbox(
            _("Encoding"), tuple(names), format_func=names.__getitem__, key=f"{KEY}_encoding",
            index=0 if draft.weighed.is_sure else None, placeholder=_("Choose the one that looks right"),
        )  # fmt: skip
    return read_text(draft.name, draft.data, state.settings().max_document_chars, encoding)


def _pdf(draft: _Draft) -> DocumentText:
    """Read a PDF page by page; the reader may do something else meanwhile, which ends it."""
    limit = state.settings()
    limits = PdfLimits(
        limit.max_document_pages, limit.max_document_chars, limit.max_pdf_s, limit.max_pdf_memory_bytes
    )
    place, stop_at = st.empty(), st.empty()
    stop_at.button(_("Stop"), key=f"{KEY}_stop", icon=":material/stop:", on_click=_put_away)
    place.progress(0.0, _("Reading the PDF"))
    reading = read_pdf(draft.name, draft.data, limits)
    try:
        for read in reading:
            if isinstance(read, DocumentText):
                st.session_state[_DRAFT] = replace(draft, data=b"", read=read)
                return read
            if read.n_pages:
                told = _("Reading the PDF: page {page:,} of {n:,}").format(page=read.number, n=read.n_pages)
                place.progress(read.number / read.n_pages, told)
            else:
                place.progress(0.0, _("Waiting: others' PDFs are read first"))
    finally:
        reading.close()
        place.empty()
        stop_at.empty()
    raise BadFile(reason=Message("it holds no text."))


def _use(read: DocumentText) -> None:
    day = read.date or date.today().isoformat()
    document = Document(read.name, read.text, language_of(read.text), ((0, day),), read.page_starts)
    collection.add(document)
    _put_away()


def _put_away() -> None:
    st.session_state.pop(_DRAFT, None)
    uploads.clear_error(KEY)


def _characters(text: str) -> str:
    return ngettext("{n:,} character", "{n:,} characters", len(text)).format(n=len(text))
