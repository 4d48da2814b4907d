"""Agreement of voters: the same pair, the same choice?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.intervals import N_RESAMPLES, bootstrap_interval
from playground.core.preferences.votes import Vote, last_of_each


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of the voters on the pairs that more than one of them has voted on.

    Attributes:
        n_pairs: Number of these pairs.
        n_votes: Votes on them.
        share: Probability that two voters of a pair say the same; NaN without such a pair.
        low, high: The bootstrap's 95 % interval of `share`, over pairs.
        alpha: Krippendorff's alpha: 1 if all agree, 0 as by chance, below 0 if they agree less than that; NaN
            without such a pair.
        alpha_low, alpha_high: The bootstrap's 95 % interval of `alpha`, over pairs.
    """

    n_pairs: int
    n_votes: int
    share: float
    low: float
    high: float
    alpha: float
    alpha_low: float
    alpha_high: float


def krippendorff(units: Sequence[Sequence[Hashable]]) -> float:
    """Krippendorff's alpha for names without an order: 1 - disagreement seen / disagreement by chance.

    Args:
        units: The names that each thing was given, one a voter; things with fewer than two do not count.

    Returns:
        1 at most; NaN where nothing was named twice, or only one name was ever given.

    Example:
        >>> krippendorff([["a", "a"], ["b", "b"]]), round(krippendorff([["a", "b"], ["b", "b"]]), 3)
        (1.0, 0.0)

    Source:
        Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section D.
    """
    kept = [Counter(unit) for unit in units if len(unit) > 1]
    n = sum(one.total() for one in kept)
    names = sum(kept, Counter[Hashable]())
    by_chance = n * n - sum(count * count for count in names.values())
    if not by_chance:
        return float("nan")
    seen = sum(_disagreeing(one) for one in kept)
    return 1 - (n - 1) * seen / by_chance


def agreement(votes: Iterable[Vote], *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Agreement:
    """Agreement of voters, with intervals over the pairs they voted on; a tie is a choice of its own.

    Which answer stands first means nothing, so for alpha each pair is read both ways round: by chance, both
    answers of a pair are chosen equally often.

    Args:
        votes: The last one of a voter on a pair counts.
        seed: Seed of the bootstrap.
        n_resamples: Resamples that it draws.

    Example:
        >>> votes = [Vote(name, text, "a", "b", "first") for name in ("Mina", "Jun") for text in "xyz"]
        >>> found = agreement(votes)
        >>> found.n_pairs, found.share, found.alpha
        (3, 1.0, 1.0)
    """
    by_pair: dict[tuple[str, str, str], list[str]] = {}
    for one in last_of_each(votes):
        by_pair.setdefault(one.pair, []).append(one.winner)
    units = [(pair, winners) for pair, winners in by_pair.items() if len(winners) > 1]
    if not units:
        return Agreement(0, 0, *[float("nan")] * 6)
    counts = [Counter(_sides(pair, winners)) for pair, winners in units]
    sizes = np.array([one.total() for one in counts], np.float64)
    apart = np.array([_disagreeing(one) for one in counts])
    ties = np.array([one["tie"] for one in counts], np.float64)

    def share(at: NDArray[np.int64]) -> float:
        return float(1 - apart[at].sum() / sizes[at].sum())

    def alpha(at: NDArray[np.int64]) -> float:
        n, tied = 2 * sizes[at].sum(), 2 * ties[at].sum()
        by_chance = n * n - tied * tied - 2 * ((n - tied) / 2) ** 2
        return float(1 - (n - 1) * 2 * apart[at].sum() / by_chance) if by_chance else float("nan")

    every = np.arange(len(units))
    low, high = bootstrap_interval(share, len(units), seed=seed, n_resamples=n_resamples)
    alpha_low, alpha_high = bootstrap_interval(alpha, len(units), seed=seed, n_resamples=n_resamples)
    n_votes = int(sizes.sum())
    return Agreement(len(units), n_votes, share(every), low, high, alpha(every), alpha_low, alpha_high)


def both_ways(votes: Iterable[Vote]) -> list[list[str]]:
    """The choices on each pair, read both ways round: "first", "second" or "tie".

    Example:
        >>> both_ways([Vote("Mina", "", "a", "b", "first"), Vote("Jun", "", "a", "b", "tie")])
        [['first', 'tie'], ['second', 'tie']]
    """
    by_pair: dict[tuple[str, str, str], list[str]] = {}
    for one in last_of_each(votes):
        by_pair.setdefault(one.pair, []).append(one.winner)
    turned = {"first": "second", "second": "first", "tie": "tie"}
    sides = [_sides(pair, winners) for pair, winners in by_pair.items()]
    return [way for one in sides for way in (one, [turned[side] for side in one])]


def _sides(pair: tuple[str, str, str], winners: Sequence[str]) -> list[str]:
    return ["tie" if not one else "first" if one == pair[1] else "second" for one in winners]


def _disagreeing(names: Counter[Hashable] | Counter[str]) -> float:
    """Pairs of voters who say something else, each voter weighing 1."""
    n = names.total()
    return (n * n - sum(count * count for count in names.values())) / (n - 1)
