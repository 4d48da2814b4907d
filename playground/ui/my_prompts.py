"""My prompts: the reader's own file, read row by row; one click makes a row the sentence."""

from __future__ import annotations

import streamlit as st

from playground.core.files import prompts
from playground.core.files.prompts import PromptFile
from playground.ui import file_preview, state
from playground.ui.choose import last_key, list_key
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext

KEY = "prompts"
OPEN = "prompts_open_on"  # the page on which the reader has opened them
outlives_reload(KEY)


def picker(page: str) -> None:
    """A button that opens the upload, what came of it, and the list of prompts.

    What it opens stays until the reader closes it or goes elsewhere: Streamlit would close it when the page
    is drawn anew, as it is when a model is ready or a training has ended.

    Args:
        page: The name of the page that is drawn next.
    """
    if st.button(_("My prompts"), icon=":material/upload_file:", width="stretch", key="prompts_open"):
        st.session_state[OPEN] = page
    if st.session_state.get(OPEN) == page:
        st.dialog(_("My prompts"), width="medium", on_dismiss=_close)(_dialog)()
    else:
        _close()


def _close() -> None:
    st.session_state.pop(OPEN, None)


def _dialog() -> None:
    limit = state.settings()
    file_preview.field(
        FileKind(
            "prompts_upload",
            _("Prompts: .txt (one per line), .csv or .jsonl (column `prompt`), up to 1 MB, 500 rows"),
            prompts.SUFFIXES,
            lambda name, data, options: prompts.read_prompts(
                name, data, options, max_bytes=limit.max_upload_bytes, max_rows=limit.max_upload_rows,
                max_chars=limit.max_text_chars,
            ),
            _count,
            _take,
            _("Use these prompts"),
            parts=(ColumnWanted(_("Column of the prompts")),),
            columns=prompts.columns,
        )
    )  # fmt: skip
    file_preview.offer_sample("prompts.csv", key="prompts_sample")
    file: PromptFile | None = st.session_state.get(KEY)
    if file is not None:
        _show(file)


def _show(file: PromptFile) -> None:
    n = len(file.prompts)
    st.success(_count(file))
    file_preview.say_left_out(file)
    names = {i: f"{i + 1}. {prompt}" for i, prompt in enumerate(file.prompts)}
    choice = st.selectbox(
        _("Use this prompt"),
        tuple(names),
        index=None,
        format_func=names.__getitem__,
        key=list_key("prompt_choice", names),
        placeholder=_("Choose a prompt"),
        disabled=n == 0,
    )
    if choice is not None:
        st.session_state["text"] = file.prompts[choice]
        _close()
        st.rerun()  # the whole page, which closes the dialog


def _count(file: PromptFile) -> str:
    n = len(file.prompts)
    return ngettext("{n} prompt was read.", "{n} prompts were read.", n).format(n=n)


def _take(_name: str, file: PromptFile) -> None:
    st.session_state[KEY] = file
    st.session_state.pop(last_key("prompt_choice"), None)  # a place in the file before
