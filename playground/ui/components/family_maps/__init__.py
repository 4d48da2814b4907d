"""The maps of families side by side; a token pointed at is lit in every map that has its characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.ui.components import packed, script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.family_maps",
    html='<div class="family-maps"></div>\n',
    css=style("keyboard", "amounts", "family_maps/family_maps", "touch"),
    js=script("amounts", "family_maps/family_maps"),
)


@dataclass(frozen=True, slots=True, eq=False)
class FamilyMap:
    """One family's map.

    Attributes:
        title: Name of the family and of its model.
        weights: Shape [query, key], both are all its tokens, the source's first.
        labels: Label of each token.
        spans: Characters of the text that each token covers; (0, 0) for none.
        text: The text they are of; maps of one text are lit together.
        n_seen_by_all: Tokens that every token may look at; the others are seen from behind only.
        returns: Lines on the result of the model.
    """

    title: str
    weights: NDArray[np.floating]
    labels: Sequence[str]
    spans: Sequence[tuple[int, int]]
    text: str
    n_seen_by_all: int
    returns: Sequence[str]


def family_maps(maps: Sequence[FamilyMap], *, key: str) -> None:
    """Draw the maps.

    Args:
        maps: At most three, each of at most 128 tokens.
        key: Widget key.
    """
    texts = list(dict.fromkeys(one.text for one in maps))
    head = {
        "maps": [
            {
                "title": one.title,
                "labels": list(one.labels),
                "spans": [list(span) for span in one.spans],
                "text": texts.index(one.text),
                "seen": one.n_seen_by_all,
                "returns": list(one.returns),
            }
            for one in maps
        ],
        "words": _words(),
    }
    _COMPONENT(key=key, data=packed(head, *(one.weights.astype(np.float32) for one in maps)))


def _words() -> dict[str, Any]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "picture": _("Attention maps of the families: rows are queries, columns are keys"),
        "query": _("query"),
        "key": _("key"),
        "weight": _("{query} → {key}: {weight}"),
        "masked": _("{query} → {key}: hidden by the mask"),
        "point": _("Point at a cell, or tap it: its weight stands here."),
        "scale": _("weight"),
        "cut": _("hidden by the mask"),
        "answer": _("behind the line: the answer"),
    }
