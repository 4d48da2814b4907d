"""What every upload of lines has in common: reading one within the limits, saying what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from playground.core.examples import ExampleFile
from playground.core.prompts import PromptFile, read_prompts
from playground.core.training_data import TrainingFile
from playground.errors import BadFile
from playground.ui import state
from playground.ui.text import _, sentence

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_SHOWN_ERRORS = 5


def read(upload: UploadedFile, max_chars: int) -> PromptFile | BadFile:
    """The rows of a file; the error, which a later run shows, where nothing of it can be read."""
    settings = state.settings()
    try:
        return read_prompts(
            upload.name,
            upload.getvalue(),
            max_bytes=settings.max_upload_bytes,
            max_rows=settings.max_upload_rows,
            max_chars=max_chars,
        )
    except BadFile as error:
        return error


def say_left_out(file: PromptFile | ExampleFile | TrainingFile) -> None:
    """The rows that cannot be used, by number, and how many are beyond the limit."""
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
