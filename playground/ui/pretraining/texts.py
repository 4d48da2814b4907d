"""The texts that a model can learn from: two that come with the playground, and the reader's own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from playground.core.files.documents import DocumentText, read_text
from playground.core.files.encoding import readable_text
from playground.core.files.rows import ReadOptions
from playground.core.pretraining import normal
from playground.core.pretraining_run import folder, shipped_text
from playground.engine.contract.pretraining import MAX_TEXT_BYTES
from playground.errors import BadFile, TooManyBytes
from playground.ui import file_preview
from playground.ui.file_preview import FileKind
from playground.ui.state import outlives_reload
from playground.ui.text import N_, _, ngettext, plain
from playground.ui.url import put

OWN = "own"
FIELD = "pre_own_text"
FILE = "pre_own_file"
outlives_reload(FIELD, FILE)
_NAMES = {"en": N_("English text"), "ko": N_("Korean text"), OWN: N_("own text")}


def names() -> dict[str, str]:
    """Id of each text -> its name; that in the reader's language first."""
    return {one: _(name) for one, name in _NAMES.items()}


def text_name(data: str) -> str:
    """A text in lists and legends."""
    return _(_NAMES.get(data, _NAMES[OWN]))


def file_of(language: str) -> Path:
    """The file of the text of a language that comes with the playground."""
    return folder() / f"text-{language}.txt"


def text_of(data: str) -> str:
    """A text by its id."""
    return own_text() if data == OWN else shipped_text(data)


def own_text() -> str:
    """The reader's text: the file that is in use, else what is typed."""
    file: DocumentText | None = st.session_state.get(FILE)
    if file is not None:
        return file.text
    return readable_text(str(st.session_state.get(FIELD) or ""))[0]


def own_field() -> None:
    """Draw the field to type or paste in, and the one for a file."""
    file: DocumentText | None = st.session_state.get(FILE)
    if file is None:
        st.text_area(
            _("Your text, up to {n:,} bytes").format(n=MAX_TEXT_BYTES), key=FIELD, height=140,
            max_chars=MAX_TEXT_BYTES, persist_state="session",
            placeholder=_("Paste a text here: a story, your notes, a program."),
        )  # fmt: skip
        _say_length(own_text())
    else:
        st.success(f"{plain(file.name)} · {_length(file.text)}")
        st.button(_("Discard"), key="pre_own_away", icon=":material/close:", on_click=_put_away)
    label = _("Or a file: .txt or .md, up to {n:,} bytes").format(n=MAX_TEXT_BYTES)
    file_preview.field(
        FileKind(
            "pre_upload", label, ("txt", "md"), _read, lambda read: _length(read.text), _take,
            _("Use this text"),
        )
    )  # fmt: skip


def _say_length(text: str) -> None:
    if text:
        st.caption(_length(text))


def _length(text: str) -> str:
    n = len(normal(text).encode())
    return ngettext("{n:,} byte", "{n:,} bytes", n).format(n=n)


def _read(name: str, data: bytes, options: ReadOptions) -> DocumentText:
    """A file as text.

    Raises:
        BadFile: It is not text, or too long.
    """
    read = read_text(name, data, MAX_TEXT_BYTES, options.encoding)
    n = len(normal(read.text).encode())
    if n > MAX_TEXT_BYTES:
        raise BadFile(reason=TooManyBytes(limit=MAX_TEXT_BYTES, got=n).message)
    return read


def _take(_name: str, read: DocumentText) -> None:
    st.session_state[FILE] = read
    put("pre_data", OWN)


def _put_away() -> None:
    st.session_state.pop(FILE, None)
