"""Ranks of the leading tokens by layer at the selected position."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import inside as charts
from playground.core import inside as core
from playground.core.tables import inside as frames
from playground.ui import show
from playground.ui.inside.reading import InsideReading
from playground.ui.text import _

N_TOKENS = 6


@st.fragment
def ranks(reading: InsideReading) -> None:
    """Rank and probability of the tokens with the best rank at any layer."""
    st.markdown(f"## {_('Which guesses lead on the way, and when do they fall back?')}")
    lens = reading.lens_here()
    assert lens.logits is not None
    tokens = core.best_at_any_layer(lens.top_ids[:, 0], lens.top_probs[:, 0], N_TOKENS)
    table = frames.rank_lines(lens.logits, tokens, reading.named_here(tokens.tolist()))
    spec = _picture(reading.context.language, reading.context.model.d_vocab)
    alt = _("Rank of each token after each layer, the best on top")
    show.show_chart(spec, "ins_ranks", alt, data=table)
    st.caption(
        _("The {n} tokens with the best rank at any layer; the answer first. In brackets: the id.").format(
            n=len(tokens)
        )
    )
    show.provenance(reading.trace)
    folder = show.model_folder(reading.context.model.model_id)
    code = show.code(
        "logit_lens", folder=folder, input_ids=list(reading.tokens.input_ids), position=reading.position,
        **show.places(reading.context.model, "final_norm"),
    )  # fmt: skip
    show.under_picture("inside_ranks", frame=table, code=code, picture="ins_ranks")


@lru_cache
def _picture(language: str, d_vocab: int) -> dict[str, Any]:
    return charts.rank_lines(
        {"layer": _("Layer (0 = embedding)"), "rank": _("Rank"), "prob": _("Probability")}, d_vocab
    )
