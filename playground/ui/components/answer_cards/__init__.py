"""Two answers to a prompt beside each other, each token coloured by its surprisal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _, ngettext

_COMPONENT = st.components.v2.component(
    "playground.answer_cards",
    html='<div class="answer-cards"></div>\n',
    css=style("answer_cards/answer_cards"),
    js=script("answer_cards/answer_cards"),
)
MOST_BITS = 16  # from here on the colour stays the same


@dataclass(frozen=True, slots=True)
class Card:
    """An answer as a model reads it.

    Attributes:
        name: Letter of the answer.
        labels: Its tokens.
        bits: Surprisal of each.
        total: Line below: what all of them cost.
        is_chosen: True if the reader has chosen it.
    """

    name: str
    labels: Sequence[str]
    bits: Sequence[float]
    total: str
    is_chosen: bool = False


def answer_cards(prompt: str, cards: Sequence[Card], *, key: str) -> None:
    """Draw the prompt and the answers; nothing comes back from the browser.

    Args:
        prompt: The text before both.
        cards: The answers.
        key: Widget key.
    """
    _COMPONENT(
        key=key,
        data={
            "prompt": prompt,
            "dir": direction(prompt),
            "cards": [
                {
                    "name": card.name,
                    "labels": list(card.labels),
                    "bits": [round(one, 3) for one in card.bits],
                    "total": card.total,
                    "chosen": card.is_chosen,
                    "dir": direction("".join(card.labels)),
                }
                for card in cards
            ],
            "most": MOST_BITS,
            "words": {
                "prompt": _("Prompt"),
                "answer": _("Answer {name}"),
                "chosen": _("your choice"),
                "legend": _("surprisal"),
                "bit": ngettext("{n} bit", "{n} bits", 1),
                "bits": ngettext("{n} bit", "{n} bits", 2),
            },
        },
    )
