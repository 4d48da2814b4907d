"""How probable the model finds the reader's own text, token by token."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.charts import sampling as charts
from playground.core import frames_predictions as frames
from playground.core import pieces
from playground.core.predictions import Predictions
from playground.ui import compute, show
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED, scored_tokens
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, strong


def panel(context: PageContext) -> None:
    """The text coloured by surprisal, its total in bits, its perplexity.

    Args:
        context: From `frame.page`.
    """
    tokens = compute.tokenize(context)
    if len(tokens) == 1:
        st.info(_("One token alone has no probability here: the model was given nothing before it."))
        return
    trace = compute.trace(context, predictions=N_EXPECTED, topic="own_text")
    read = trace.predictions
    assert read is not None
    labels = pieces.labels(tokens)
    scored_text(scored_tokens(trace.model_id, read, tokens), key="sam_own_text")
    _say(read, labels)
    table = frames.surprisals(read, tokens.input_ids, labels)
    words = {
        "token": _("Token"),
        "surprisal": _("Surprisal (bits)"),
        "model": _("Probability"),
        "rank": _("Rank"),
    }
    chart = charts.surprisal_bars(words, steps=range(2, len(tokens) + 1))
    alt = _("Surprisal of each token of the text")
    show.show_chart(chart, "sam_own_bars", alt, data=table)
    show.provenance(trace)
    code = show.code("surprisal", folder=show.model_folder(trace.model_id), text=context.text)
    show.under_picture("surprisal", frame=table, code=code, picture="sam_own_bars")


def _say(read: Predictions, labels: Sequence[str]) -> None:
    bits = read.surprisal_bits
    most = int(bits.argmax())
    told = ngettext(
        "The {n} token after the first, {token}, costs {total:.1f} bits: perplexity {perplexity:.1f}.",
        "The {n} tokens after the first cost {total:.1f} bits, {mean:.2f} per token: perplexity "
        "{perplexity:.1f}. The most surprising one is {token} with {bits:.1f} bits.",
        len(bits),
    )
    st.markdown(
        told.format(
            n=len(bits), total=read.total_bits, mean=bits.mean(), perplexity=read.perplexity,
            token=strong(labels[most + 1]), bits=bits[most],
        )
    )  # fmt: skip
