"""Answers with their scores, and a button a row to vote; whoever posted one may withdraw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import streamlit as st

from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.answer_board",
    html='<div class="answer-board"></div>\n',
    css=style("keyboard", "answer_board/answer_board", "touch"),
    js=script("answer_board/answer_board"),
)

Deed = Literal["vote", "withdraw"]


class BoardRow(NamedTuple):
    """A row of the board.

    Attributes:
        number: Number of the answer.
        text: The answer.
        kind: "good", "bad" or "reader".
        scores: Its scores, as they are read, in the order of the titles.
        n_votes: Its votes.
        is_mine: The reader may withdraw it.
        has_my_vote: The reader voted for it.
    """

    number: int
    text: str
    kind: str
    scores: Sequence[str]
    n_votes: int
    is_mine: bool
    has_my_vote: bool


def answer_board(
    rows: Sequence[BoardRow],
    titles: Sequence[str],
    kinds: Mapping[str, str],
    *,
    key: str,
    on_deed: Callable[[Deed, int], None],
) -> None:
    """Draw the answers.

    Args:
        rows: The answers.
        titles: Names of the scores.
        kinds: Kind -> its words in the reader's language.
        key: Widget key.
        on_deed: Called with what the reader did and the number of the answer, before the rerun.
    """
    known = {row.number for row in rows}

    def on_act_change() -> None:
        sent: Any = (st.session_state.get(key) or {}).get("act")
        if not isinstance(sent, dict):
            return
        deed, number = sent.get("deed"), sent.get("number")
        if deed in ("vote", "withdraw") and type(number) is int and number in known:
            on_deed(deed, number)

    _COMPONENT(
        key=key,
        data={
            "rows": [[*row[:3], list(row.scores), *row[4:], direction(row.text)] for row in rows],
            "titles": list(titles),
            "kinds": dict(kinds),
            "words": {
                "board": _("Answers on the board"),
                "vote": _("A good answer"),
                "withdraw": _("Withdraw"),
                "mine": _("mine"),
                "votes": _("Votes"),
            },
        },
        default={"act": None},
        on_act_change=on_act_change,
    )
