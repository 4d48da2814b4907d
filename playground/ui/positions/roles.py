"""The models of the positions page, by their part."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.core.tokens import Tokenization
from playground.ui import compute
from playground.ui.roles import player
from playground.ui.state import PageContext


@dataclass(frozen=True, slots=True)
class Roles:
    """The reader's text with the models the page needs: the chosen one wherever it fits, otherwise a default.

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
    """The model of each part; None while one of them is not in memory (its progress is drawn then)."""
    found = {}
    for role in ("learned", "rotary", "encoder", "decoder"):
        found[role] = player(context, role)
        if found[role] is None:
            return None
    return Roles(**{role: player for role, player in found.items() if player is not None})


def first_tokens(context: PageContext, limit: int) -> Tokenization:
    """The text as this model reads it, its first tokens only."""
    whole = compute.tokenize(context)
    parts = ("input_ids", "tokens", "token_bytes", "offsets", "special")
    return replace(whole, **{part: getattr(whole, part)[:limit] for part in parts})
