"""Models by what they can show: the chosen one where it fits, otherwise a default."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.settings import DEFAULT_DECODER
from playground.ui import frame, state, warming
from playground.ui.state import PageContext

FAMILIES = {"learned": ("bert", "gpt2"), "rotary": ("llama", "qwen3")}


def player(context: PageContext, role: str) -> PageContext | None:
    """The reader's text with a model that fits this role; None while it is not in memory (says why)."""
    if _fits(context.model, role):
        return context
    known, settings = frame.models(), state.settings()
    entry = known[settings.default_encoder if role in ("learned", "encoder") else settings.default_model]
    if not _fits(entry, role):
        entry = known[DEFAULT_DECODER]
    info = warming.model_when_ready(entry)
    return None if info is None else replace(context, model=info)


def _fits(model: ModelInfo | CatalogueEntry, role: str) -> bool:
    return model.family in FAMILIES[role] if role in FAMILIES else model.kind == role
