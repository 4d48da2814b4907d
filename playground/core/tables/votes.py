"""Tables of votes: strengths with intervals, a pair's tokens, the votes themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from playground.core.preferences.strengths import Strengths
from playground.core.preferences.votes import Vote, Wins


def strengths(names: Sequence[str], wins: Wins, found: Strengths) -> pd.DataFrame:
    """One row an item, the strongest first.

    Args:
        names: Items as they are shown, in the order of `wins`.
        wins: The votes, counted.
        found: Their strengths.

    Returns:
        name, strength, low, high (95 % interval, nats of odds), won, lost (votes; a tie is half of each),
        group (number of the items that votes connect).
    """
    rows = [
        (name, *found.interval(item), wins.counts[item].sum(), wins.counts[:, item].sum(), found.groups[item])
        for item, name in enumerate(names)
    ]
    table = pd.DataFrame(rows, columns=["name", "strength", "low", "high", "won", "lost", "group"])
    return table.sort_values("strength", ascending=False, kind="stable", ignore_index=True)


def votes(cast: Iterable[Vote]) -> pd.DataFrame:
    """One row a vote.

    Returns:
        voter, prompt, first, second, better ("first", "second" or "tie").
    """
    rows = [(one.voter, one.prompt, one.first, one.second, one.better) for one in cast]
    return pd.DataFrame(rows, columns=["voter", "prompt", "first", "second", "better"])


def answer_tokens(
    names: Sequence[str], labels: Sequence[Sequence[str]], bits: Sequence[Sequence[float]]
) -> pd.DataFrame:
    """One row a token of the answers.

    Args:
        names: Letters of the answers.
        labels: Tokens of each answer.
        bits: Surprisal of each of them.

    Returns:
        answer, place (from 1), token, surprisal (bits).
    """
    rows = [
        (name, place, label, bit)
        for name, own, costs in zip(names, labels, bits, strict=True)
        for place, (label, bit) in enumerate(zip(own, costs, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=["answer", "place", "token", "surprisal"])
