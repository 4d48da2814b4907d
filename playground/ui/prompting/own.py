"""The reader's own task: a file of texts and labels."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from playground.core import frames_prompting as frames
from playground.core.canonical import canonical, distinct
from playground.core.examples import ExampleFile, read_examples
from playground.core.prompting import Task
from playground.core.shots import MAX_LABELS, N_OTHERS, with_others
from playground.errors import BadFile
from playground.paths import site_root
from playground.ui import state, uploads
from playground.ui.text import _, ngettext, sentence
from playground.ui.url import put

ID = "own"
KEY = "pro_own"


def task() -> Task | None:
    """What was uploaded in this session."""
    found: ExampleFile | None = st.session_state.get(KEY)
    if found is None:
        return None
    return Task("", _("Text"), _("Label"), with_others(found.examples, seed=0))


def uploader() -> None:
    """A field for the file, and what came of it."""
    st.file_uploader(
        _("Your task: .csv or .jsonl with the columns `text` and `label`, up to 1 MB, 500 rows"),
        type=("csv", "jsonl"), key="pro_upload", max_upload_size=1, on_change=_read,
    )  # fmt: skip
    st.download_button(
        _("A sample file"), (site_root() / "assets/samples/examples.csv").read_bytes(), "examples.csv",
        "text/csv", key="pro_sample", on_click="ignore", type="tertiary", icon=":material/download:",
    )  # fmt: skip
    error, found = st.session_state.get("pro_upload_error"), st.session_state.get(KEY)
    if error is not None:
        st.error(sentence(error))
    if found is not None:
        _show(found)


def _show(found: ExampleFile) -> None:
    n = len(found.examples)
    st.success(ngettext("{n} example was read.", "{n} examples were read.", n).format(n=n))
    uploads.say_left_out(found)
    n_again = n - len(distinct(one.text for one in found.examples))
    if n_again:
        st.caption(_("{n} of them repeat a text: the first of each counts.").format(n=n_again))
    counts = Counter(canonical(one.label) for one in found.examples)
    if len(counts) > MAX_LABELS:
        told = _("There are {n} labels: every text is compared with its own and {others} other ones.")
        st.caption(told.format(n=len(counts), others=N_OTHERS))
    texts = {canonical(one.text): canonical(one.label) for one in reversed(found.examples)}
    once = sum(count == 1 for count in Counter(texts.values()).values())
    if once and len(counts) <= MAX_LABELS:
        told = _("{n} of the {all} labels occur only once: they are shown or tested, never both.")
        st.caption(told.format(n=once, all=len(counts)))
    st.dataframe(
        frames.label_counts(found.examples),
        hide_index=True,
        height=180,
        column_config={
            "label": st.column_config.TextColumn(_("Label")),
            "count": st.column_config.NumberColumn(_("Examples")),
        },
    )


def _read() -> None:
    upload = st.session_state["pro_upload"]
    st.session_state["pro_upload_error"] = None
    if upload is None:
        st.session_state.pop(KEY, None)  # taken away
        return
    settings = state.settings()
    try:
        st.session_state[KEY] = read_examples(
            upload.name, upload.getvalue(), max_bytes=settings.max_upload_bytes,
            max_rows=settings.max_upload_rows,
        )  # fmt: skip
        put("pro_task", ID)
    except BadFile as error:
        st.session_state["pro_upload_error"] = error  # what was there before stays
