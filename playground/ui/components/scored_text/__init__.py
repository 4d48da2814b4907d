"""A text coloured by surprisal; a click on a token shows the tokens the model expected in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _, ngettext

_COMPONENT = st.components.v2.component(
    "playground.scored_text",
    html='<div class="scored-text"></div>\n',
    css=style("keyboard", "scored_text/scored_text"),
    js=script("scored_text/scored_text"),
)
MOST_BITS = 16  # from here on the colour stays the same


class Expected(NamedTuple):
    """A token that the model expected.

    Attributes:
        token_id: Id of the token.
        label: Label of the token.
        prob: Probability of the token.
    """

    token_id: int
    label: str
    prob: float


class ScoredToken(NamedTuple):
    """One token of a text and the tokens the model expected there.

    Attributes:
        token_id: Id of the token.
        label: Label of the token.
        bits: Surprisal of the token; None where nothing was before it.
        rank: 1 = the most probable token; 0 where nothing was before it.
        entropy_bits: Entropy of the distribution it came from.
        expected: The most probable tokens there, best first.
    """

    token_id: int
    label: str
    bits: float | None = None
    rank: int = 0
    entropy_bits: float = 0.0
    expected: Sequence[Expected] = ()


def scored_text(
    tokens: Sequence[ScoredToken],
    *,
    key: str,
    selected: int | None = None,
    on_branch: Callable[[int, Expected], None] | None = None,
) -> None:
    """Draw the tokens; choosing one is the browser's own business and asks nobody.

    Args:
        tokens: Tokens of the text, in order.
        key: Widget key.
        selected: Index of the token that is open at first; None opens the most surprising one.
        on_branch: Called with the index of a token and the reader's choice in its place, before the rerun.
    """

    def branched() -> None:
        wanted = _wanted(st.session_state[key].get("branch"), tokens)
        if wanted is not None and on_branch is not None:
            on_branch(*wanted)

    if selected is None:
        selected = max(range(len(tokens)), key=lambda index: tokens[index].bits or 0.0)
    _COMPONENT(
        key=key,
        data={
            "labels": [token.label for token in tokens],
            "bits": [None if token.bits is None else round(token.bits, 4) for token in tokens],
            "ranks": [token.rank for token in tokens],
            "entropy": [round(token.entropy_bits, 4) for token in tokens],
            "is_own": [
                [index for index, each in enumerate(token.expected) if each.token_id == token.token_id]
                for token in tokens
            ],
            "expected": [[[each.label, round(each.prob, 6)] for each in token.expected] for token in tokens],
            "most": MOST_BITS,
            "selected": selected,
            "ids": [[each.token_id for each in token.expected] for token in tokens] if on_branch else [],
            "dir": direction("".join(token.label for token in tokens)),
            "words": _words(),
        },
        default={"branch": None},
        on_branch_change=branched,
    )


def _wanted(sent: object, tokens: Sequence[ScoredToken]) -> tuple[int, Expected] | None:
    """The choice that the browser sent, None unless it names a token and one of those expected there."""
    if not isinstance(sent, dict) or type(sent.get("at")) is not int or not 0 <= sent["at"] < len(tokens):
        return None
    chosen = [each for each in tokens[sent["at"]].expected if each.token_id == sent.get("id")]
    return (sent["at"], chosen[0]) if chosen else None


def _words() -> dict[str, str]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "text": _("The text, coloured by surprisal; arrow keys move through it"),
        "branch": _("Go on from here"),
        "legend": _("surprisal"),
        "bit": ngettext("{n} bit", "{n} bits", 1),
        "bits": ngettext("{n} bit", "{n} bits", 2),
        "hint": _("Click a token to see what the model expected there."),
        "first": _("{token}: the first token. Nothing is before it, so the model gives it no probability."),
        "told": _(
            "{token}: {bits} bits, p = {p}, rank {rank}. The model's entropy here was {entropy} bits; "
            "it expected:"
        ),
    }
