"""The reader's own task: a file of texts and labels."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from playground.core.canonical import canonical, distinct
from playground.core.demonstrations import MAX_LABELS, N_OTHERS, with_others
from playground.core.few_shot import PromptTask
from playground.core.files import examples
from playground.core.files.examples import ExampleFile
from playground.core.tables import prompting as frames
from playground.ui import file_preview, state
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext
from playground.ui.url import put

ID = "own"
KEY = "pro_own"
outlives_reload(KEY)


def task() -> PromptTask | None:
    """The task that was uploaded in this session."""
    found: ExampleFile | None = st.session_state.get(KEY)
    if found is None:
        return None
    return PromptTask("", _("Text"), _("Label"), with_others(found.examples, seed=0))


def uploader() -> None:
    """A field for the file, and what came of it."""
    limit = state.settings()
    file_preview.field(
        FileKind(
            "pro_upload",
            _("Your task: .csv or .jsonl with the columns `text` and `label`, up to 1 MB, 500 rows"),
            examples.SUFFIXES,
            lambda name, data, options: examples.read_examples(
                name, data, options, max_bytes=limit.max_upload_bytes, max_rows=limit.max_upload_rows
            ),
            _count,
            _take,
            _("Use this task"),
            parts=(ColumnWanted(_("Column of the texts")), ColumnWanted(_("Column of the labels"))),
            columns=examples.columns,
        )
    )
    file_preview.offer_sample("examples.csv", key="pro_sample")
    found = st.session_state.get(KEY)
    if found is not None:
        _show(found)


def _show(found: ExampleFile) -> None:
    n = len(found.examples)
    st.success(_count(found))
    file_preview.say_left_out(found)
    n_again = n - len(distinct(one.text for one in found.examples))
    if n_again:
        st.caption(
            ngettext(
                "{n} of them repeats a text: the first of each counts.",
                "{n} of them repeat a text: the first of each counts.",
                n_again,
            ).format(n=n_again)
        )
    counts = Counter(canonical(one.label) for one in found.examples)
    if len(counts) > MAX_LABELS:
        told = _("There are {n} labels: every text is compared with its own and {others} other ones.")
        st.caption(told.format(n=len(counts), others=N_OTHERS))
    texts = {canonical(one.text): canonical(one.label) for one in reversed(found.examples)}
    once = sum(count == 1 for count in Counter(texts.values()).values())
    if once and len(counts) <= MAX_LABELS:
        told = ngettext(
            "{n} of the {all} labels occurs only once: it is shown or tested, never both.",
            "{n} of the {all} labels occur only once: they are shown or tested, never both.",
            once,
        )
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
    st.button(_("Discard"), key="pro_own_away", icon=":material/close:", on_click=_put_away)


def _count(found: ExampleFile) -> str:
    n = len(found.examples)
    return ngettext("{n} example was read.", "{n} examples were read.", n).format(n=n)


def _take(_name: str, found: ExampleFile) -> None:
    st.session_state[KEY] = found
    put("pro_task", ID)


def _put_away() -> None:
    st.session_state.pop(KEY, None)
