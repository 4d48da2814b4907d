"""File uploads: a field in the reader's language; a file is read once, then no longer kept by the server.

Streamlit keeps every file of a field for as long as its session lives, and answers a wrong type or size in
English. So a field takes any file, we say ourselves what is wrong with it, and once its bytes are read they
are dropped and the field is an empty one again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from playground.core.files.encoding import file_name
from playground.core.files.rows import check_file
from playground.errors import BadFile, Message, PlaygroundError, Question
from playground.ui.text import _, plain, sentence

Take = Callable[..., None]

_LONGEST_NAME = 80
_SHOWN_NAMES = 5
# Streamlit's own words, hidden; ours stand in their place.
_STYLE = """<style>
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"] { display: none; }
[data-testid="stFileUploaderDropzone"] > span button::after { content: %(choose)s; padding-left: 0.4rem; }
[data-testid="stFileUploaderDropzoneInstructions"] span { display: none; }
[data-testid="stFileUploaderDropzoneInstructions"]::after { content: %(drop)s; font-size: 0.875rem; }
[data-testid="stFileUploaderDropzone"] > div > span:only-child { font-size: 0; }
[data-testid="stFileUploaderDropzone"] > div > span:only-child::after {
  content: %(let_go)s; font-size: 0.875rem;
}
[data-testid="stFileUploaderDropzone"]:has([aria-invalid="true"]) { flex-wrap: wrap; }
.st-key-%(field)s [data-testid="stFileUploaderDropzone"]:has([aria-invalid="true"])::after {
  content: %(refused)s; flex-basis: 100%%; font-size: 0.875rem;
}
[data-testid="stFileChip"] [role="alert"], [data-testid="stTooltipErrorContent"] { display: none; }
</style>"""


def field(
    key: str, label: str, suffixes: Sequence[str], max_bytes: int, take: Take, args: tuple[Any, ...] = ()
) -> Question | None:
    """Draw a field for a file, and what was wrong with the last one.

    Args:
        key: Key of the field; other keys of the session start with it.
        label: Label of the field: files that may be uploaded, with their limits.
        suffixes: Suffixes of files that are accepted, in lower case, without the dot.
        max_bytes: Longest file.
        take: Called with name, bytes and `args` before the next run; it may raise a `PlaygroundError`.
        args: More for `take`.

    Returns:
        What the reader is asked about the last file, which waits for `answer`.
    """
    words = {name: json.dumps(one, ensure_ascii=False) for name, one in _words(max_bytes).items()}
    st.html(_STYLE % (words | {"field": f"{key}_field"}))
    with st.container(key=f"{key}_field"):
        st.file_uploader(  # of several files Streamlit drops all but the first without a word
            label, key=_widget(key), accept_multiple_files=True, on_change=_receive,
            args=(key, tuple(suffixes), max_bytes, take, args),
        )  # fmt: skip
    if others := st.session_state.get(f"{key}_others"):
        first, *rest = map(plain, others)
        told = _("Only {name} is read: one file at a time. Not read: {others}.")
        st.caption(told.format(name=first, others=", ".join(rest)))
    error = st.session_state.get(f"{key}_error")
    if isinstance(error, Question):
        return error
    if error is not None:
        st.error(sentence(error))
    return None


def answer(key: str, take: Take, args: tuple[Any, ...]) -> None:
    """Give the file that the reader was asked about to `take` once more, with the answer in `args`."""
    asked = st.session_state.pop(f"{key}_asked", None)
    if asked is None:  # the second of two quick clicks
        return
    name, file_id = asked
    try:
        with _kept(file_id) as data:
            clear_error(key)
            take(name, data, *args)
    except PlaygroundError as error:
        st.session_state[f"{key}_error"] = error


def is_refused(key: str) -> bool:
    """True if the last file of the field `key` was not accepted."""
    return f"{key}_error" in st.session_state


def clear_error(key: str) -> None:
    """Forget what was wrong with the last file of the field `key`."""
    st.session_state.pop(f"{key}_error", None)


def _words(max_bytes: int) -> dict[str, str]:
    told = _("This file was not accepted: one file at a time, up to {limit} MB each. Try again.")
    return {
        "choose": _("Choose a file"),
        "drop": _("or drop it here"),
        "let_go": _("Drop the file here"),
        "refused": told.format(limit=f"{max_bytes / 2**20:g}"),
    }


def _receive(key: str, suffixes: Sequence[str], max_bytes: int, take: Take, args: tuple[Any, ...]) -> None:
    given = st.session_state[_widget(key)]
    if not given:
        return
    upload, *others = given
    for other in others:
        _drop(other.file_id)
    clear_error(key)
    st.session_state[f"{key}_others"] = _names(given) if others else []
    if (asked := st.session_state.pop(f"{key}_asked", None)) is not None:
        _drop(asked[1])
    try:
        if not isinstance(upload, UploadedFile):  # others filled the room before it was read
            raise _no_room()
        name = file_name(upload.name, _LONGEST_NAME)
        check_file(name, upload.size, suffixes, max_bytes)
        take(name, upload.getvalue(), *args)
    except PlaygroundError as error:
        st.session_state[f"{key}_error"] = error
        if isinstance(error, Question):
            st.session_state[f"{key}_asked"] = name, upload.file_id
    finally:
        if f"{key}_asked" not in st.session_state:
            _drop(upload.file_id)
        st.session_state[f"{key}_n"] = st.session_state.get(f"{key}_n", 0) + 1


def _names(given: Sequence[UploadedFile | DeletedFile]) -> list[str]:
    """Names of the first files that came together."""
    names = [file_name(one.name, _LONGEST_NAME) for one in given if isinstance(one, UploadedFile)]
    return [*names[:_SHOWN_NAMES], *(["…"] if len(names) > _SHOWN_NAMES else [])]


def _no_room() -> BadFile:
    return BadFile(reason=Message("the server had no room for it. Try again in a moment."))


@contextmanager
def _kept(file_id: str) -> Iterator[bytes]:
    """The bytes of a file that the server still keeps, for the last time."""
    context = get_script_run_ctx()
    found = context.uploaded_file_mgr.get_files(context.session_id, [file_id]) if context else []
    if not found:
        raise _no_room()
    try:
        yield found[0].data
    finally:
        _drop(file_id)


def _drop(file_id: str) -> None:
    """Give the bytes of a file back."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def _widget(key: str) -> str:
    """Key of the uploader: another one after each file, since only the browser can empty one."""
    n = st.session_state.get(f"{key}_n", 0)
    return f"{key}_{n}" if n else key
