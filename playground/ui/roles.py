"""Which models play which part on the positions page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.core.tokens import Tokenization
from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.settings import DEFAULT_DECODER
from playground.ui import compute, frame, state, warming
from playground.ui.state import PageContext

FAMILIES = {"learned": ("bert", "gpt2"), "rotary": ("llama", "qwen3")}


@dataclass(frozen=True, slots=True)
class Roles:
    """The reader's text with the models the page needs: the chosen one wherever it fits, else a default.

    Attributes:
        learned: Has a table of learned positions.
        rotary: Rotates queries and keys.
        encoder, decoder: Without and with a causal mask.
    """

    learned: PageContext
    rotary: PageContext
    encoder: PageContext
    decoder: PageContext


def roles(context: PageContext) -> Roles | None:
    """Who plays which part; None while one of them is not in memory (what it is doing is drawn then)."""
    found = {}
    for role in ("learned", "rotary", "encoder", "decoder"):
        found[role] = player(context, role)
        if found[role] is None:
            return None
    return Roles(**{role: player for role, player in found.items() if player is not None})


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


def first_tokens(context: PageContext, limit: int) -> Tokenization:
    """The text as this model reads it, its first tokens only."""
    whole = compute.tokenize(context)
    parts = ("input_ids", "tokens", "token_bytes", "offsets", "special")
    return replace(whole, **{part: getattr(whole, part)[:limit] for part in parts})
