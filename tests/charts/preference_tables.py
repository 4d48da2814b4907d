"""Small tables for the pictures of votes and reward models, made as on their page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from playground.core.preferences.judged import pair_accuracy
from playground.core.preferences.strengths import fit
from playground.core.preferences.votes import Vote, counted
from playground.core.tables import rewards, votes

CAST = [Vote("Mina", "Hi", "it's", "둘", "first"), Vote("Jun", "Hi", "it's", "둘", "tie")]


def _strengths() -> pd.DataFrame:
    wins = counted(CAST)
    return votes.strengths(wins.items, wins, fit(wins.counts))


def _correlations() -> pd.DataFrame:
    table = rewards.correlations(["it's", "둘!", "please, it is", "no?", "yes"], [1.0, 0.5, 2.0, -1.0, 0.0])
    return table.assign(name=["it's", "둘", "c", "d"])


PREFERENCES: Mapping[str, Callable[[], pd.DataFrame]] = {
    "votes.strengths": _strengths,
    "rewards.losses": lambda: rewards.losses([(1, 0.7)], [(0, 0.7), (1, 0.6)]),
    "rewards.accuracies": lambda: rewards.accuracies({("it's", "held_out"): pair_accuracy([1.0], [0.0])}),
    "rewards.correlations": _correlations,
    "rewards.beginnings": lambda: rewards.beginnings(
        ("it's", "둘"), (["a", "b", "c"], ["d"]), ([1.0, 2.0, -1.0], [0.5])
    ),
}
