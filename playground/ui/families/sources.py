"""The text that the encoder-decoder reads: the reader's sentence, or one of the only field that it knows."""

from __future__ import annotations

import streamlit as st

from playground.engine.contract.models import ModelInfo
from playground.settings import DATES_MODEL
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.url import setting

KEY = "fam_source"
MAX_CHARS = 200
DATES = {"en": "3 May 2026", "ko": "2026년 5월 3일"}


def knows_dates_only(model: ModelInfo) -> bool:
    """True for the encoder-decoder that comes with the playground: it was trained on dates alone."""
    return model.model_id == DATES_MODEL


def source_field(context: PageContext, model: ModelInfo) -> None:
    """Draw the field for the text of the encoder-decoder.

    Args:
        context: From `frame.page`.
        model: The encoder-decoder.
    """
    st.text_input(
        _("The encoder-decoder reads"),
        placeholder=_usual(context, model),
        max_chars=MAX_CHARS,
        **setting(KEY, ""),
        help=_("Empty: what stands there in grey."),
    )


def source_text(context: PageContext) -> str:
    """The text that the encoder-decoder of this context reads."""
    written = str(st.session_state.get(KEY, "")).strip()
    return written[:MAX_CHARS] or _usual(context, context.model)


def _usual(context: PageContext, model: ModelInfo) -> str:
    if not knows_dates_only(model):
        return context.text
    return DATES.get(context.language, DATES["en"])
