"""The reader's own sentences: a .txt or .csv file, or lines typed here."""

from __future__ import annotations

import streamlit as st

from playground.errors import BadFile
from playground.ui import uploads
from playground.ui.text import _, ngettext, sentence

MAX_CHARS = 300


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
        found = outcome.prompts
        n = len(found)
        st.success(ngettext("{n} sentence was read.", "{n} sentences were read.", n).format(n=n))
        uploads.say_left_out(outcome)
    st.button(_("Use the sample again"), key="emb_file_drop", icon=":material/undo:", on_click=_drop)
    return found or None


def _take() -> None:
    upload = st.session_state[_key()]
    if upload is None:
        st.session_state.pop("emb_file", None)
    else:
        st.session_state["emb_file"] = uploads.read(upload, MAX_CHARS)


def _key() -> str:
    """Of the uploader: another one after the file was dropped, since only the browser can empty one."""
    n = st.session_state.get("emb_n_dropped", 0)
    return f"emb_upload_{n}" if n else "emb_upload"


def _drop() -> None:
    st.session_state.pop("emb_file", None)
    st.session_state["emb_n_dropped"] = st.session_state.get("emb_n_dropped", 0) + 1
