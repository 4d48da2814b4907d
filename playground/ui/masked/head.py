"""A masked-LM head that is shipped apart from its model, and what was measured of it."""

from __future__ import annotations

import streamlit as st

from playground.engine.contract.models import ModelInfo
from playground.engine.models.catalogue import shipped_figures
from playground.ui.text import _, plain


def say_measured(model: ModelInfo) -> None:
    """Say how often a shipped head is right on sentences that it was not trained on; nothing of others."""
    figures = shipped_figures(model.model_id)
    if "accuracy_en" not in figures:
        return
    told = _(
        "The masked-LM head of {name} was trained here, on few sentences ({n:,}). Of masked tokens in "
        "held-out sentences its first choice is right for {en:.0%} in English and {ko:.0%} in Korean; "
        "where the token is a whole word, for {words_en:.0%} and {words_ko:.0%}. A BERT is trained on "
        "billions of words."
    )
    st.caption(
        told.format(
            name=plain(model.name), n=int(figures["n_sentences"]), en=figures["accuracy_en"],
            ko=figures["accuracy_ko"], words_en=figures["words_en"], words_ko=figures["words_ko"],
        )
    )  # fmt: skip
