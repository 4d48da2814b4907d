"""The text that the encoder-decoder reads: the reader's sentence, or one of the only field that it knows."""

from __future__ import annotations

import streamlit as st

from playground.core.files.encoding import readable_text
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


def source_field(context: PageContext) -> str:
    """Draw the field for the text of the encoder-decoder, the reader's or the shipped one; the text.

    Args:
        context: From `frame.page`.
    """
    chosen = context.model.kind == "encoder-decoder" and not knows_dates_only(context.model)
    usual = context.text if chosen else DATES.get(context.language, DATES["en"])
    written = st.text_input(
        _("The encoder-decoder reads"),
        placeholder=" ".join(usual.split()),
        max_chars=MAX_CHARS,
        **setting(KEY, ""),
        help=_("Empty: what stands there in grey."),
    )
    text, _n_left_out = readable_text(written.strip())
    return text or usual
