"""Votes on two answers at a time: counted for Bradley-Terry, and made into pairs that a model learns from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from playground.core.canonical import canonical
from playground.core.preferences.pair import PreferencePair

Better = Literal["first", "second", "tie"]
TIE: Final = 0.5  # of a win for each


@dataclass(frozen=True, slots=True)
class Vote:
    """One click on the better of two answers.

    Attributes:
        voter: Name of who voted; the last vote of a voter on a pair counts.
        prompt: The text before both answers.
        first, second: The answers, or the names of those who wrote them.
        better: The answer that is preferred, or "tie".
    """

    voter: str
    prompt: str
    first: str
    second: str
    better: Better

    @property
    def pair(self) -> tuple[str, str, str]:
        """The prompt and both answers in canonical form, the same whichever answer stood first."""
        first, second = sorted((canonical(self.first), canonical(self.second)))
        return canonical(self.prompt), first, second

    @property
    def winner(self) -> str:
        """The preferred answer in canonical form, "" in a tie."""
        if self.better == "tie":
            return ""
        return canonical(self.first if self.better == "first" else self.second)


@dataclass(frozen=True, slots=True, eq=False)
class Wins:
    """Votes, counted.

    Attributes:
        items: The answers, each once, in the order in which they were first voted on.
        counts: [i, j] is the number of votes for i against j; a tie is half a vote for each. Shape
            [item, item].
    """

    items: tuple[str, ...]
    counts: NDArray[np.float64]


def last_of_each(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """The last vote of each voter on each pair, without those on two equal answers.

    Example:
        >>> votes = [Vote("Mina", "", "a", "b", "first"), Vote("Mina", "", "b", "a", "first")]
        >>> last_of_each(votes)[0].winner
        'b'
    """
    last = {(one.voter, one.pair): one for one in votes if len(set(one.pair[1:])) == 2}
    return tuple(last.values())


def counted(votes: Iterable[Vote]) -> Wins:
    """Wins of each answer against each other one, over all prompts.

    A tie is half a win for each: the strengths then need no parameter for how often people cannot decide,
    which a class's few votes would not determine.

    Example:
        >>> votes = [Vote("Mina", "", "a", "b", "first"), Vote("Jun", "", "b", "a", "tie")]
        >>> counted(votes).counts.tolist()
        [[0.0, 1.5], [0.5, 0.0]]

    Source:
        Glickman 1999, "Parameter estimation in large dynamic paired comparison experiments", section 2. Rao &
        Kupper 1967 and Davidson 1970 give ties a parameter of their own.
    """
    kept = last_of_each(votes)
    place: dict[str, int] = {}
    for one in kept:
        for answer in (one.first, one.second):
            place.setdefault(canonical(answer), len(place))
    counts = np.zeros((len(place), len(place)))
    for one in kept:
        first, second = (place[canonical(answer)] for answer in (one.first, one.second))
        won = {"first": 1.0, "second": 0.0, "tie": TIE}[one.better]
        counts[first, second] += won
        counts[second, first] += 1 - won
    return Wins(tuple(place), counts)


def majority(votes: Sequence[Vote]) -> tuple[PreferencePair, ...]:
    """The pairs of answers of which one has more votes, in the order in which they were first voted on.

    Ties count for nobody; a pair without a majority is left out, because nothing is preferred.

    Example:
        >>> votes = [Vote("Mina", "Hi", "Hello!", "What?", "first")]
        >>> votes += [Vote("Jun", "Hi", "What?", "Hello!", "tie")]
        >>> majority(votes)
        (PreferencePair(prompt='Hi', chosen='Hello!', rejected='What?', topic=''),)
    """
    lead: dict[tuple[str, str, str], int] = {}
    for one in last_of_each(votes):
        _prompt, first, _second = one.pair
        sign = 0 if not one.winner else 1 if one.winner == first else -1
        lead[one.pair] = lead.get(one.pair, 0) + sign
    return tuple(
        PreferencePair(prompt, *((first, second) if ahead > 0 else (second, first)))
        for (prompt, first, second), ahead in lead.items()
        if ahead
    )
