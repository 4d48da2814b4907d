"""My prompts: the reader's own file, read row by row; one click makes a row the sentence."""

from __future__ import annotations

import streamlit as st

from playground.core.prompts import SUFFIXES, PromptFile
from playground.errors import BadFile
from playground.paths import site_root
from playground.ui import state, uploads
from playground.ui.text import _, ngettext, sentence


def picker() -> None:
    """A button that opens the upload, what came of it, and the list of prompts."""
    if st.button(_("My prompts"), icon=":material/upload_file:", width="stretch", key="prompts_open"):
        st.dialog(_("My prompts"), on_dismiss="rerun")(_dialog)()  # a page may use them


def _dialog() -> None:
    st.file_uploader(
        _("Prompts: .txt (one a line), .csv or .jsonl (column `prompt`), up to 1 MB, 500 rows"),
        type=SUFFIXES,
        key="prompts_upload",
        max_upload_size=1,
        on_change=_read,
    )
    st.download_button(
        _("A sample file"),
        (site_root() / "assets/samples/prompts.csv").read_bytes(),
        "prompts.csv",
        "text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
    outcome = st.session_state.get("prompts")
    if isinstance(outcome, BadFile):
        st.error(sentence(outcome))
    elif outcome is not None:
        _show(outcome)


def _show(file: PromptFile) -> None:
    n = len(file.prompts)
    st.success(ngettext("{n} prompt was read.", "{n} prompts were read.", n).format(n=n))
    uploads.say_left_out(file)
    choice = st.selectbox(
        _("Take this one"),
        range(n),
        index=None,
        format_func=lambda i: f"{i + 1}. {file.prompts[i]}",
        key="prompt_choice",
        placeholder=_("Choose a prompt"),
        disabled=n == 0,
    )
    if choice is not None:
        st.session_state["text"] = file.prompts[choice]
        st.rerun()  # the whole page, which closes the dialog


def _read() -> None:
    upload = st.session_state["prompts_upload"]
    if upload is not None:
        st.session_state["prompts"] = uploads.read(upload, state.settings().max_text_chars)
