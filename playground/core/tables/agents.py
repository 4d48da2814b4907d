"""Tables of agents: the bill of a run, strategies measured, opinions before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from playground.core.agents.record import Record
from playground.core.agents.recorded import Measured

SHARES = ("new", "again", "written")
MEASURED = (
    "strategy", "decoding", "n_right", "n", "n_ended", "n_trouble", "n_actions", "turns", "tokens",
    "tokens_again",
)  # fmt: skip


def bill(turns: Record) -> pd.DataFrame:
    """Three rows a turn: tokens that were new, read again, written; with the sum of all turns so far.

    Returns:
        turn (from 1), share ("new", "again", "written"), tokens, start (tokens of the turn before this part),
        so_far (tokens of all turns up to this one).
    """
    rows, so_far = [], 0
    for number, turn in enumerate(turns, 1):
        cost, start = turn.cost, 0
        so_far += cost.n_prompt + cost.n_written
        parts = {"again": cost.n_again, "new": cost.n_new, "written": cost.n_written}
        for share, tokens in parts.items():
            rows.append((number, share, tokens, start, so_far))
            start += tokens
    return pd.DataFrame(rows, columns=["turn", "share", "tokens", "start", "so_far"])


def measured(found: Sequence[Measured]) -> pd.DataFrame:
    """One row per strategy and decoding.

    Returns:
        strategy, decoding ("free" or "constrained"), n_right, n, n_ended, n_trouble, n_actions, and means
        per problem: turns, tokens, tokens_again.
    """
    rows = [
        (
            one.strategy, "constrained" if one.constrained else "free", one.n_right, one.n, one.n_ended,
            one.n_trouble, one.n_actions, one.turns, one.tokens, one.tokens_again,
        )
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(MEASURED))


def opinions(before: Mapping[str, float], after: Mapping[str, float]) -> pd.DataFrame:
    """One row per role: share of the first answer before and after the talk, and how far it moved.

    Args:
        before, after: Role -> probability of the first of two answers.

    Returns:
        role, before, after, moved.
    """
    rows = [(role, before[role], after[role], after[role] - before[role]) for role in before if role in after]
    return pd.DataFrame(rows, columns=["role", "before", "after", "moved"])
