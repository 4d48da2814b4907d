"""An answer with its sentences marked by what supports them; a click on one shows its nearest source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from playground.core.support import Verdict
from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.marked_sentences",
    html='<div class="marked-sentences"></div>\n',
    css=style("keyboard", "marked_sentences/marked_sentences"),
    js=script("marked_sentences/marked_sentences"),
)


class MarkedSentence(NamedTuple):
    """A sentence.

    Attributes:
        text: The sentence.
        verdict: Signs of support.
        told: Figures in words, shown when it is chosen.
        source: Nearest sentence of the chunks, "" for none.
    """

    text: str
    verdict: Verdict
    told: str
    source: str


def marked_sentences(sentences: Sequence[MarkedSentence], *, key: str) -> None:
    """Draw the sentences; choosing one is the browser's own business.

    Args:
        sentences: Sentences of the answer, in order.
        key: Widget key.
    """
    _COMPONENT(
        key=key,
        data={
            "sentences": [[*one] for one in sentences],
            "dir": direction("".join(one.text for one in sentences)),
            "words": {
                "text": _("The answer, sentence by sentence"),
                "both": _("words and vector support it"),
                "words": _("only its words do"),
                "vector": _("only its vector does"),
                "neither": _("neither does"),
                "nearest": _("Nearest sentence of the chunks:"),
                "hint": _("Click or tap a sentence to see its figures."),
            },
        },
    )
