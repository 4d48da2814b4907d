"""A text with stretches of it marked, as often as there are views of it, and labels below its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.tagged_text",
    html='<div class="tagged-text"></div>\n',
    css=style("tagged_text/tagged_text"),
    js=script("tagged_text/tagged_text"),
)


class Mark(NamedTuple):
    """Marked characters of a text; marks do not overlap.

    Attributes:
        start, end: First character and the one behind the last.
        kind: Sort of mark.
    """

    start: int
    end: int
    kind: str


class View(NamedTuple):
    """The text with one set of marks, and its title."""

    title: str
    marks: Sequence[Mark]


class LabelledToken(NamedTuple):
    """A token and the label below it.

    Attributes:
        token: Its characters.
        label: Its label, "O" for none.
        share: The model's probability of that label.
    """

    token: str
    label: str
    share: float


def tagged_text(
    text: str,
    views: Sequence[View],
    kinds: Mapping[str, str],
    *,
    key: str,
    tokens: Sequence[LabelledToken] = (),
) -> None:
    """Draw the text once a view, then its tokens.

    Args:
        text: The text.
        views: Its views, from top to bottom.
        kinds: Sort of mark -> its words in the reader's language, in the order of colours; five at most.
        key: Widget key.
        tokens: Tokens in order; a label such as "B-LOC" ends in a sort of mark.
    """
    _COMPONENT(
        key=key,
        data={
            "views": [
                {"title": one.title, "parts": parts(text, one.marks), "dir": direction(text)} for one in views
            ],
            "kinds": [[kind, words] for kind, words in kinds.items()],
            "tokens": [[one.token, one.label, round(one.share, 4)] for one in tokens],
            "words": {"tokens": _("Tokens and their labels"), "legend": _("legend")},
        },
    )


def parts(text: str, marks: Sequence[Mark]) -> list[list[str]]:
    """The text cut at its marks: [characters, sort of mark or ""] one after another.

    Example:
        >>> parts("in Oslo.", [Mark(3, 7, "LOC")])
        [['in ', ''], ['Oslo', 'LOC'], ['.', '']]
    """
    cut: list[list[str]] = []
    at = 0
    for start, end, kind in sorted(marks):
        if at < start:
            cut.append([text[at:start], ""])
        cut.append([text[start:end], kind])
        at = end
    return [*cut, [text[at:], ""]] if at < len(text) else cut
