"""The rows that are trained on: as tokens with what each costs the model now, their lengths, the split."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from playground.charts import finetuning as charts
from playground.core import pieces
from playground.core.files import training_rows
from playground.core.files.training_rows import TrainingFile, TrainingRow, duplicates, split
from playground.core.tables import finetuning as frames
from playground.core.tables import training as frames_training
from playground.engine.contract.traces import Capture
from playground.engine.contract.training import TrainingText
from playground.ui import compute, file_preview, show, state
from playground.ui.components.scored_text import ScoredToken, scored_text
from playground.ui.expected import N_EXPECTED, expected
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.finetuning.sets import ReadSet, own_file, put_file_away, take_file
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, strong


def row_picture(context: PageContext, data: ReadSet) -> None:
    """One row as the model reads it: what counts in the loss is coloured by its surprisal."""
    rows = data.data.rows
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("Row"), width="content")
        number = number_field(
            _("Row"), 1, len(rows), 1, key="fin_row", width=120, label_visibility="collapsed",
        )  # fmt: skip
        row = rows[int(number) - 1]
        is_held_out = row.key in {one.key for one in data.held_out_rows}
        st.caption(_("held out: never trained on") if is_held_out else _("trained on"))
    text = data.every_text[int(number) - 1]
    trace = compute.trace(context, text.input_ids, Capture(predictions=N_EXPECTED), topic="fin_row")
    read = trace.predictions
    if read is None:
        return
    texts = compute.token_texts(context, trace.input_ids)
    labels = pieces.sequence_labels(texts)
    before = pieces.begun_bytes([pieces.bytes_of(token) for token in texts])
    tokens = [
        ScoredToken(
            text.input_ids[at], labels[at], float(read.surprisal_bits[at - 1]), int(read.ranks[at - 1]) + 1,
            float(read.entropy_bits[at - 1]),
            expected(trace.model_id, read.top_ids[at - 1], np.exp(read.top_logprobs[at - 1]), before[at]),
        )
        if trained
        else ScoredToken(text.input_ids[at], labels[at])
        for at, trained in enumerate(text.is_trained)
    ]  # fmt: skip
    scored_text(tokens, key="fin_row_tokens")
    st.markdown(_reading(context, text, tokens))
    show.provenance(trace)
    show.under_picture(
        "fin_tokens",
        frame=lambda: frames_training.trained_tokens(labels, text.is_trained, [one.bits for one in tokens]),
        code=lambda: show.code(
            "training_row", folder=show.model_folder(context.model.model_id),
            row=list(row.messages) or row.text, max_tokens=state.settings().max_training_tokens,
        ),
    )  # fmt: skip


def _reading(context: PageContext, text: TrainingText, tokens: list[ScoredToken]) -> str:
    counted = [one for one in tokens if one.bits is not None]
    if not counted:
        return _("No token of this row counts in the loss.")
    nats = sum(one.bits or 0.0 for one in counted) / len(counted) * math.log(2)
    most = max(counted, key=lambda one: one.bits or 0.0)
    told = ngettext(
        "Of the {all} tokens of this row {n} counts in the loss: the coloured one, {token}. "
        "{model} finds it {nats:.2f} nats surprising ({bits:.1f} bits). Training makes it less "
        "surprising.",
        "Of the {all} tokens of this row {n} count in the loss: the coloured ones. {model} finds "
        "them {nats:.2f} nats surprising on average, {token} most of all ({bits:.1f} bits). "
        "Training makes them less surprising.",
        len(counted),
    )
    words = told.format(
        all=len(tokens), n=len(counted), model=plain(context.model.name), nats=nats,
        token=strong(most.label), bits=most.bits or 0.0,
    )  # fmt: skip
    if text.n_cut:
        cut = ngettext(
            "{n} token beyond the limit of {limit} was cut off.",
            "{n} tokens beyond the limit of {limit} were cut off.",
            text.n_cut,
        )
        words += " " + cut.format(n=text.n_cut, limit=state.settings().max_training_tokens)
    return words


def panel(data: ReadSet | None) -> None:
    """The rows as a table, their lengths, and what is wrong with them."""
    st.markdown(f"## {_('What is it trained on?')}")
    if data is None:
        st.info(_("Upload a file above."))
        return
    st.markdown(_counted(data))
    texts, keys = data.every_text, {one.key for one in data.held_out_rows}
    table, histogram = st.columns((3, 2))
    with table:
        st.dataframe(
            frames_training.training_rows([(*_said(row), row.key in keys, len(text.input_ids)) for row, text in zip(data.data.rows, texts, strict=True)]),  # noqa: E501
            hide_index=True, height=260,
            column_config={
                "row": st.column_config.NumberColumn(_("Row"), width="small"),
                "prompt": st.column_config.TextColumn(_("Prompt")),
                "answer": st.column_config.TextColumn(_("Answer")),
                "held_out": st.column_config.CheckboxColumn(_("held out"), width="small"),
                "n_tokens": st.column_config.NumberColumn(_("Tokens"), width="small"),
            },
        )  # fmt: skip
    with histogram:
        lengths = frames.lengths([len(text.input_ids) for text in texts])
        words_of = {"n_tokens": _("Tokens"), "examples": _("Examples")}
        show.show_chart(
            charts.length_histogram(words_of), "fin_lengths", _("How many rows are how long"), data=lengths
        )


def _counted(data: ReadSet) -> str:
    """A sentence on the number of rows and their use; Markdown."""
    train, held_out = split(data.data.rows)
    n_again = duplicates(data.data.rows)
    told = ngettext(
        "{n} row: {train} to train on, {held_out} held out",
        "{n} rows: {train} to train on, {held_out} held out",
        len(data.data.rows),
    )
    words = [told.format(n=len(data.data.rows), train=len(train), held_out=len(held_out))]
    n_tested = len(data.tested_rows)
    if n_tested < len(held_out):
        tested = ngettext(
            "{n} of the held-out rows is read at every test of a run",
            "{n} of the held-out rows are read at every test of a run",
            n_tested,
        )
        words.append(tested.format(n=n_tested))
    if n_again:
        words.append(
            ngettext("{n} row repeats another", "{n} rows repeat another", n_again).format(n=n_again)
        )
    texts = data.every_text
    n_cut = sum(bool(one.n_cut) for one in texts)
    if n_cut:
        limit = state.settings().max_training_tokens
        cut = ngettext(
            "{n} row is longer than {limit} tokens and is cut",
            "{n} rows are longer than {limit} tokens and are cut",
            n_cut,
        )
        words.append(cut.format(n=n_cut, limit=limit))
    empty = sum(not one.n_trained for one in texts)
    if empty:
        told = ngettext(
            "{n} row has nothing left to learn and is left out",
            "{n} rows have nothing left to learn and are left out",
            empty,
        )
        words.append(told.format(n=empty))
    return plain(" · ".join(words))


def _said(row: TrainingRow) -> tuple[str, str]:
    if not row.messages:
        return "", row.text
    asked = " / ".join(text for role, text in row.messages if role != "assistant")
    return asked, " / ".join(text for role, text in row.messages if role == "assistant")


def uploader() -> None:
    """A field for the reader's own file, and what came of it."""
    limit = state.settings()
    file_preview.field(
        FileKind(
            "fin_upload",
            _(
                "Your data: .jsonl, .csv (`instruction`, `response`) or .txt (one text per line), up to 1 "
                "MB, 500 rows"
            ),
            training_rows.SUFFIXES,
            lambda name, data, options: training_rows.read_training(
                name, data, options, max_bytes=limit.max_upload_bytes, max_rows=limit.max_upload_rows
            ),
            _count,
            take_file,
            _("Train on these rows"),
            parts=(
                ColumnWanted(_("Column of the questions"), is_optional=True),
                ColumnWanted(_("Column of the answers")),
            ),
            columns=training_rows.columns,
        )
    )
    file_preview.offer_sample("training.csv", key="fin_sample")
    file = own_file()
    if file is not None:
        st.success(_count(file))
        file_preview.say_left_out(file)
        st.button(_("Discard"), key="fin_own_away", icon=":material/close:", on_click=put_file_away)


def _count(file: TrainingFile) -> str:
    n = len(file.rows)
    return ngettext("{n} row was read.", "{n} rows were read.", n).format(n=n)
