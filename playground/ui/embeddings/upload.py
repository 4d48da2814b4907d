"""The reader's own sentences: a .txt or .csv file, or lines typed here."""

from __future__ import annotations

import streamlit as st

from playground.core.files import prompts
from playground.core.files.prompts import PromptFile
from playground.ui import file_preview, state
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext

KEY = "emb_file"
outlives_reload(KEY)
MAX_CHARS = 300


def button() -> None:
    """A button that opens the upload."""
    limit = state.settings()
    with st.popover(_("My sentences"), icon=":material/upload_file:"):
        file_preview.field(
            FileKind(
                "emb_upload",
                _("Sentences: .txt (one per line) or .csv (column `prompt`), up to 500 rows"),
                ("txt", "csv"),
                lambda name, data, options: prompts.read_prompts(
                    name, data, options, max_bytes=limit.max_upload_bytes, max_rows=limit.max_upload_rows,
                    max_chars=MAX_CHARS,
                ),
                _count,
                _take,
                _("Use these sentences"),
                parts=(ColumnWanted(_("Column of the sentences")),),
                columns=prompts.columns,
            )
        )  # fmt: skip


def sentences() -> tuple[str, ...] | None:
    """The sentences of the reader's file; None while the sample is used."""
    file: PromptFile | None = st.session_state.get(KEY)
    if file is None:
        return None
    st.success(_count(file))
    file_preview.say_left_out(file)
    st.button(_("Use the sample again"), key="emb_file_drop", icon=":material/undo:", on_click=_drop)
    return file.prompts or None


def _count(file: PromptFile) -> str:
    n = len(file.prompts)
    return ngettext("{n} sentence was read.", "{n} sentences were read.", n).format(n=n)


def _take(_name: str, file: PromptFile) -> None:
    st.session_state[KEY] = file


def _drop() -> None:
    st.session_state.pop(KEY, None)
