"""The same words for an encoder, which sees both sides, and a decoder, which sees what is on the left."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import masked as charts
from playground.core import masked as core
from playground.core.tables import masked as frames
from playground.core.tables.masked import WordCost
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.masked.likelihood import each_masked
from playground.ui.masked.view import View
from playground.ui.roles import player
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, strong

Costs = dict[int, tuple[str, float]]  # first character of a word -> the word, bits


def panel(view: View) -> None:
    """Draw the surprisal of each word for both models."""
    st.markdown(f"## {_('How much do the words on the right help?')}")
    decoder = player(view.asked, "decoder")
    if decoder is None:
        return
    both = _both(view)
    if both is None:
        return
    left, start_ids = _left(decoder)
    rows = [
        WordCost(step, word, bits, left[start][1])
        for step, (start, (word, bits)) in enumerate(sorted(both.items()), 1)
        if start in left
    ]
    if not rows:
        st.info(_("There is no word that both models have a probability for."))
        return
    table = frames.words(rows)
    alt = _("Surprisal of each word for an encoder and a decoder")
    chart = _picture(view.context.language, rows[-1].step)
    show.show_chart(chart, "mas_sides", alt, data=frames.sides(table))
    st.markdown(_told(view, table))
    if table[["both_bits", "left_bits"]].to_numpy().max() > charts.MOST_BITS:
        st.caption(_("Bars that are longer than the axis end at its top; the values have them whole."))
    st.caption(
        _(
            "Not quite the same question: the masks tell the encoder how many tokens the word has; the "
            "decoder is told nothing. A word of several tokens is written from left to right by both."
        )
    )
    show.source(view.context.model)
    show.source(decoder.model)
    words = [word.positions for word in core.words_of(view.tokens)]
    code = show.code(
        "both_sides", **view.read_from, input_ids=list(view.tokens.input_ids),
        words=[list(positions) for positions in words],
        decoder_folder=show.model_folder(decoder.model.model_id), text=decoder.text, start_ids=start_ids,
    )  # fmt: skip
    show.under_picture("both_sides", frame=table, code=code, picture="mas_sides")


def _both(view: View) -> Costs | None:
    """Bits of each word, all its tokens masked, for the model that sees both sides."""
    each = each_masked(view, _("The encoder reads the sentence without each word"))
    if each is None:
        return None
    alone = dict(zip(each.positions.tolist(), each.logprobs.tolist(), strict=True))
    costs: Costs = {}
    for word in core.words_of(view.tokens):
        if any(at not in alone for at in word.positions):  # a mask that the text spells
            continue
        token_ids = [view.tokens.input_ids[at] for at in word.positions]
        logprobs = (
            (alone[word.positions[0]],)
            if len(word.positions) == 1
            else core.chain(view.ids(word.positions), word.positions, token_ids, view.ask)
        )
        costs[word.start] = word.text, -sum(logprobs) / float(np.log(2))
    return costs


def _left(decoder: PageContext) -> tuple[Costs, list[int]]:
    """Bits of each word for the model that sees the left, and the start tokens before the text."""
    tokenizers, model_id = compute.tokenizers(), decoder.model.model_id
    tokens = tokenizers.tokenize(model_id, decoder.text, add_special_tokens=True)
    start_id = tokenizers.info(model_id).start_id
    n_start = next((at for at, special in enumerate(tokens.special) if not special), 0)
    start_ids = list(tokens.input_ids[:n_start])
    if not n_start and start_id is not None:
        start_ids = [start_id]
    input_ids = (*start_ids, *tokens.input_ids[n_start:])
    moved = len(start_ids) - n_start
    trace = compute.trace(decoder, input_ids, Capture(predictions=1), topic="masked_left")
    assert trace.predictions is not None
    bits = [float("nan"), *trace.predictions.surprisal_bits.tolist()]  # nothing is before the first
    costs = {
        word.start: (word.text, sum(bits[at + moved] for at in word.positions))
        for word in core.words_of(tokens)
    }
    return {start: one for start, one in costs.items() if not np.isnan(one[1])}, start_ids


def _told(view: View, table: pd.DataFrame) -> str:
    helped = int((table["saved_bits"] > 0).sum())
    told = ngettext(
        "The one word costs {both:.1f} bits with both sides and {left:.1f} with the left side alone.",
        "With both sides {helped} of {n} words cost less; all words cost {both:.1f} bits with both sides and "
        "{left:.1f} with the left side alone.",
        len(table),
    ).format(helped=helped, n=len(table), both=table["both_bits"].sum(), left=table["left_bits"].sum())
    chosen = None
    if view.masked:
        start = view.tokens.offsets[view.masked[0]][1] - 1
        found = [
            word for word in core.words_of(view.tokens) if word.start <= start < word.start + len(word.text)
        ]
        match = table[table["word"] == found[0].text] if found else table[:0]
        chosen = None if match.empty else match.iloc[0]
    if chosen is None:
        chosen = table.iloc[int(table["saved_bits"].argmax())]
    more = _("{word}: {both:.1f} bits with both sides, {left:.1f} with the left side.")
    return (
        told
        + " "
        + more.format(word=strong(chosen["word"]), both=chosen["both_bits"], left=chosen["left_bits"])
    )


@lru_cache
def _picture(language: str, n_words: int) -> dict[str, Any]:
    words = {
        "word": _("Word"), "surprisal": _("Surprisal (bits)"), "both": _("both sides (encoder)"),
        "left": _("left side (decoder)"),
    }  # fmt: skip
    return charts.both_sides(words, n_words=n_words)
