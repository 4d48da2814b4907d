"""A run of an agent as cards: thoughts, actions and observations, and the literal prompt of every turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _

Kind = Literal["thought", "action", "observation", "trouble", "answer", "end"]
_COMPONENT = st.components.v2.component(
    "playground.agent_turns",
    html='<div class="agent-turns"></div>\n',
    css=style("keyboard", "agent_turns/agent_turns", "touch"),
    js=script("agent_turns/agent_turns"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A card.

    Attributes:
        kind: Its colour and sign.
        name: Its heading.
        text: Its words.
        note: A remark below them, "" for none.
    """

    kind: Kind
    name: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class TurnCards:
    """A turn.

    Attributes:
        told: Its number and its tokens, in words.
        cards: What happened in it.
        prompt: All that the model read, word for word; "" for none.
        written: The model's text, word for word.
    """

    told: str
    cards: tuple[Card, ...]
    prompt: str = ""
    written: str = ""


def agent_turns(turns: Sequence[TurnCards], *, key: str) -> None:
    """Draw the turns, one below the other; opening a prompt is the browser's own business.

    Args:
        turns: The turns in order; the last may be the end of the run.
        key: Widget key.
    """
    data = {
        "turns": [
            {
                "told": turn.told, "prompt": turn.prompt, "written": turn.written,
                "cards": [
                    [one.kind, one.name, one.text, one.note, direction(one.text)] for one in turn.cards
                ],
            }
            for turn in turns
        ],
        "words": {
            "turns": _("What the model did, turn by turn"),
            "open": _("The prompt, word for word"),
            "written": _("written in this turn"),
        },
    }  # fmt: skip
    _COMPONENT(key=key, data=data)
