"""Models by what they can show: the chosen one where it fits, otherwise a default."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.core.scripts import is_written_in, script_of
from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.models.catalogue import POSITIONS_OF_FAMILY
from playground.settings import DATES_MODEL, DEFAULT_DECODER, MULTILINGUAL_ENCODER
from playground.ui import compute, frame, state, warming
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.unread_language import READ_CHARS


def player(context: PageContext, role: str) -> PageContext | None:
    """The reader's text with a model that fits this role; None while it is not in memory (says why)."""
    if _fits(context.model, role):
        return context
    known, settings = frame.models(), state.settings()
    reader = encoder_of(context.text)
    defaults = {
        "encoder": reader,
        "learned": settings.default_encoder,  # a table of positions reads no text
        "encoder-decoder": DATES_MODEL,
    }
    entry = known[defaults.get(role, settings.default_model)]
    if not _fits(entry, role):
        entry = known[DEFAULT_DECODER]
    info = warming.model_when_ready(entry)
    return None if info is None else replace(context, model=info)


def encoder_of(text: str) -> str:
    """Id of the encoder that reads a text unless the reader chose one.

    The default one; the multilingual one, where it is on this machine, for a text in a script that the
    default one was not trained on.
    """
    known, default = frame.models(), state.settings().default_encoder
    if reads(known[default], text):
        return default
    infos = {info.model_id: info for info in compute.models()}
    return default if infos[MULTILINGUAL_ENCODER].state == "absent" else MULTILINGUAL_ENCODER


def filler(context: PageContext) -> PageContext | None:
    """The reader's text with a model that fills masks: the chosen one, otherwise one of this machine.

    A model that the teacher added comes before those that are shipped.

    None while it is not in memory, or where there is none (says so).
    """
    if "fill" in context.model.capabilities:
        return context
    fills = [info for info in compute.models() if "fill" in info.capabilities and info.state != "absent"]
    added = state.settings().extra_models
    fills.sort(key=lambda info: (info.state in ("remote", "failed"), info.model_id not in added))
    if not fills:
        st.error(_("No model on this machine fills masks."))
        return None
    info = warming.model_when_ready(frame.choices()[fills[0].model_id])
    return None if info is None else replace(context, model=info)


def reads(model: ModelInfo | CatalogueEntry, text: str) -> bool:
    """True if the model was trained on the script of a text, as far as both are known."""
    script = script_of(text[:READ_CHARS])
    return not script or not model.languages or is_written_in(model.languages, script)


def _fits(model: ModelInfo | CatalogueEntry, role: str) -> bool:
    return role in (model.kind, POSITIONS_OF_FAMILY.get(model.family))
