"""Models by what they can show: the chosen one where it fits, otherwise a default."""

from __future__ import annotations

from dataclasses import replace

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.models.catalogue import POSITIONS_OF_FAMILY
from playground.settings import DEFAULT_DECODER
from playground.ui import frame, state, warming
from playground.ui.state import PageContext


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
    return role in (model.kind, POSITIONS_OF_FAMILY.get(model.family))
