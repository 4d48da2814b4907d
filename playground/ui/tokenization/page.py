"""Tokenization: from characters to bytes to tokens, as several tokenizers see the same sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import streamlit as st

from playground.core.tables import tokenization as frames
from playground.core.tokenization import is_word_that_needs_its_space
from playground.ui import compute, show
from playground.ui.components.token_chips import token_chips
from playground.ui.components.token_rows import token_rows
from playground.ui.frame import Drawn, has_sentence
from playground.ui.state import PageContext
from playground.ui.tokenization import bpe_lab, granularity, language_bill, rows
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """The sentence live, the tokenizers beside each other, and how a vocabulary is built."""
    rows.live_text(context)
    has_text = has_sentence(context)
    if has_text:
        token_chips(compute.tokenize(context), height=168)
    ids, read_special = rows.picked(context)
    if has_text:
        _side_by_side(context, ids, read_special)
    granularity.ladder_panel(context)
    language_bill.bill_panel(context, ids)
    bpe_lab.lab_panel(context)
    rows.frame_panel(context, read_special)
    n_bytes = len(context.text.encode())
    tasks = [
        Task("bytes", "number", lambda: n_bytes or math.nan),
        Task("space", "goal", lambda: _needs_its_space(context.text.strip(), ids)),
        Task("dear", "choice", lambda: language_bill.dearest("r50k_base"), language_bill.languages()),
    ]
    return tasks, None


def _side_by_side(context: PageContext, ids: Sequence[str], read_special: bool) -> None:
    drawn = rows.rows(context, compute.tokenize(context), ids, read_special)
    token_rows(drawn, key="tok_rows", selects=True)
    st.markdown(rows.reading(drawn))
    rows.provenance(ids)
    table = partial(frames.side_by_side, [row.tokens for row in drawn])
    show.under_picture("tokenization", frame=table, code=partial(rows.code, drawn))


def _needs_its_space(word: str, ids: Sequence[str]) -> bool:
    """The goal of the second task, for any of the tokenizers on the screen."""
    if not 8 <= len(word) <= 40:
        return False
    lengths = ((len(rows.cut(name, f" {word}")), len(rows.cut(name, word))) for name in ids)
    return any(is_word_that_needs_its_space(word, *pair) for pair in lengths)
