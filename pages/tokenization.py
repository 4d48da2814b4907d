"""Tokenization: from characters to bytes to tokens, as several tokenizers see the same sentence."""

import math

import streamlit as st

from playground.core.tables import tokenization as frames
from playground.core.tokenization import is_word_that_needs_its_space
from playground.ui import compute, frame, show
from playground.ui.components.token_chips import token_chips
from playground.ui.components.token_rows import token_rows
from playground.ui.tasks import Task
from playground.ui.tokenization import bpe_lab, granularity, language_bill
from playground.ui.tokenization import rows as tokenization

context = frame.page("tokenization", reads_text=True, needs_text=False)

tokenization.live_text(context)
if has_text := frame.has_sentence(context):
    token_chips(tokens := compute.tokenize(context), height=168)
ids, read_special = tokenization.picked(context)
if has_text:
    rows = tokenization.rows(context, tokens, ids, read_special)
    token_rows(rows, key="tok_rows", selects=True)
    st.markdown(tokenization.reading(rows))
    tokenization.provenance(ids)
    table = frames.side_by_side([row.tokens for row in rows])
    show.under_picture("tokenization", frame=table, code=tokenization.code(rows))

granularity.ladder_panel(context)
language_bill.bill_panel(context, ids)
bpe_lab.lab_panel(context)
tokenization.frame_panel(context, read_special)


def needs_its_space() -> bool:
    """The goal of the second task, for any of the tokenizers on the screen."""
    word = context.text.strip()
    if not 8 <= len(word) <= 40:
        return False
    lengths = ((len(tokenization.cut(name, f" {word}")), len(tokenization.cut(name, word))) for name in ids)
    return any(is_word_that_needs_its_space(word, *pair) for pair in lengths)


n_bytes = len(context.text.encode())
tasks = [
    Task("bytes", "number", lambda: n_bytes or math.nan),
    Task("space", "goal", needs_its_space),
    Task("dear", "choice", lambda: language_bill.dearest("r50k_base"), language_bill.languages()),
]
frame.end_of_page(context, tasks)
