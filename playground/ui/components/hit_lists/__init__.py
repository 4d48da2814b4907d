"""Lists of chunks that several searches found, side by side; one chunk lights up in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from playground.core.bm25 import Span
from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.hit_lists",
    html='<div class="hit-lists"></div>\n',
    css=style("keyboard", "hit_lists/hit_lists", "touch"),
    js=script("hit_lists/hit_lists"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A chunk in a list.

    Attributes:
        number: Number of the chunk in the collection.
        value: Score as it is shown.
        place: Document, and place in it, in words.
        text: Its text.
        marks: Characters of the text to mark.
        note: More about the score, "" for nothing.
    """

    number: int
    value: str
    place: str
    text: str
    marks: Sequence[Span] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class HitList:
    """A list of chunks: its name, what its score is, and its cards, best first."""

    name: str
    score: str
    cards: Sequence[Card]


def hit_lists(
    lists: Sequence[HitList], selected: int | None, *, key: str, on_select: Callable[[int | None], None]
) -> None:
    """Draw the lists.

    Args:
        lists: The lists.
        selected: Number of the chunk in focus.
        key: Widget key.
        on_select: Called with the number of the chunk that was clicked, None for the one in focus again.
    """
    numbers = {card.number for one in lists for card in one.cards}

    def on_picked_change() -> None:
        sent: Mapping[str, Any] = st.session_state.get(key) or {}
        picked = sent.get("picked")
        number = picked.get("number") if isinstance(picked, dict) else None
        if type(number) is int and number in numbers:
            on_select(None if number == selected else number)

    _COMPONENT(
        key=key,
        data={
            "lists": [asdict(one) for one in lists],
            "selected": selected,
            "words": {
                "none": _("Nothing found."),
                "hint": _("Click or tap a chunk: it lights up in every list and on the map."),
                "marked": _("marked: pieces of the question that make up most of its BM25 score"),
            },
        },
        default={"picked": None},
        on_picked_change=on_picked_change,
    )
