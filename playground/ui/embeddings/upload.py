"""The reader's own sentences: a .txt or .csv file, or lines typed here."""

from __future__ import annotations

import streamlit as st

from playground.core.prompts import PromptFile, read_prompts
from playground.errors import BadFile
from playground.ui import state
from playground.ui.text import _, ngettext, sentence

MAX_CHARS = 300
_SHOWN_ERRORS = 3


def button() -> None:
    """What opens the upload."""
    with st.popover(_("My sentences"), icon=":material/upload_file:"):
        st.file_uploader(
            _("Sentences: .txt (one a line) or .csv (column `prompt`), up to 500 rows"),
            type=("txt", "csv"),
            key=_key(),
            max_upload_size=1,
            on_change=_take,
        )


def sentences() -> tuple[str, ...] | None:
    """The sentences of the reader's file, and what was wrong with it; None while the sample is used."""
    outcome = st.session_state.get("emb_file")
    if outcome is None:
        return None
    found: tuple[str, ...] = ()
    if isinstance(outcome, BadFile):
        st.error(sentence(outcome))
    else:
        _say(outcome)
        found = outcome.prompts
    st.button(_("Use the sample again"), key="emb_file_drop", icon=":material/undo:", on_click=_drop)
    return found or None


def _say(file: PromptFile) -> None:
    n = len(file.prompts)
    st.success(ngettext("{n} sentence was read.", "{n} sentences were read.", n).format(n=n))
    if file.rejected:
        lines = [sentence(error) for error in file.rejected[:_SHOWN_ERRORS]]
        more = len(file.rejected) - _SHOWN_ERRORS
        if more > 0:
            lines.append(_("{n} more rows cannot be used.").format(n=more))
        st.warning("\n\n".join(lines))
    if file.n_beyond_limit:
        limit = state.settings().max_upload_rows
        told = _("The file is longer than {limit} rows: the last {n} were not read.")
        st.warning(told.format(limit=limit, n=file.n_beyond_limit))


def _take() -> None:
    file = st.session_state[_key()]
    if file is None:
        st.session_state.pop("emb_file", None)
        return
    settings = state.settings()
    try:
        st.session_state["emb_file"] = read_prompts(
            file.name,
            file.getvalue(),
            max_bytes=settings.max_upload_bytes,
            max_rows=settings.max_upload_rows,
            max_chars=MAX_CHARS,
        )
    except BadFile as error:
        st.session_state["emb_file"] = error


def _key() -> str:
    """Of the uploader: another one after the file was dropped, since only the browser can empty one."""
    n = st.session_state.get("emb_n_dropped", 0)
    return f"emb_upload_{n}" if n else "emb_upload"


def _drop() -> None:
    st.session_state.pop("emb_file", None)
    st.session_state["emb_n_dropped"] = st.session_state.get("emb_n_dropped", 0) + 1
