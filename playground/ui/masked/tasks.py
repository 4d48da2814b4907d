"""The tasks of the page Masked, checked against the model's own answers."""

from __future__ import annotations

import math

from playground.core import masked as core
from playground.engine.contract.filling import Filled
from playground.ui.masked.order import MOST
from playground.ui.masked.view import View, are_chosen
from playground.ui.try_this import Task


def tasks(view: View, filled: Filled | None) -> list[Task]:
    """Find a token the model knows, its surprisal, and two masks that depend on each other."""
    return [
        Task("known", "goal", lambda: float(_is_known(view, filled))),
        Task("bits", "number", lambda: _bits(view, filled), tolerance=0.05),
        Task("order", "goal", lambda: float(_orders_differ(view))),
    ]


def _is_known(view: View, filled: Filled | None) -> bool:
    """True if the reader masked tokens, and the first choice at one of them is what stood there."""
    if filled is None or not are_chosen():
        return False
    best = dict(zip(filled.positions.tolist(), filled.top_ids[:, 0].tolist(), strict=True))
    return any(best[at] == view.tokens.input_ids[at] for at in view.masked)


def _bits(view: View, filled: Filled | None) -> float:
    """Surprisal of the first hidden token; NaN where none is hidden."""
    if filled is None or not view.masked:
        return math.nan
    at = view.masked[0]
    row = filled.positions.tolist().index(at)
    column = filled.token_ids[0].tolist().index(view.tokens.input_ids[at])
    return -float(filled.token_logprobs[row, column]) / math.log(2)


def _orders_differ(view: View) -> bool:
    """True if the masks, filled at once, hold other tokens than filled from left to right."""
    if not 2 <= len(view.gaps) <= MOST:
        return False
    at_once, in_turn = (
        core.fill_at_once(view.ids(), view.ask),
        core.fill_in_turn(view.ids(), "left", view.ask),
    )
    return at_once.token_ids != in_turn.token_ids
