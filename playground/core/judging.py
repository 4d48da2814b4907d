"""A model as a judge of two answers: its verdicts in both orders, and what they depend on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.core.metrics.intervals import includes, wilson_interval


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A question with two answers.

    Attributes:
        language: Code of its language.
        question: The question.
        better, worse: Its answers, as a person sees them.
        longer: The worse one, lengthened by words that add nothing; the longest of the three.
    """

    language: str
    question: str
    better: str
    worse: str
    longer: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's answers to one pair.

    Attributes:
        better_first: p(the first answer wins) where the better one stands first.
        worse_first: p(the first answer wins) where the worse one does.
    """

    better_first: float
    worse_first: float

    @property
    def wins(self) -> tuple[float, float]:
        """p(the better answer wins) where it is shown first, and where it is shown second."""
        return self.better_first, 1 - self.worse_first

    @property
    def mean(self) -> float:
        """p(the better answer wins), the mean of both orders: what the order adds cancels."""
        return sum(self.wins) / 2

    @property
    def turns(self) -> bool:
        """True if the verdict depends on the order alone."""
        first, second = self.wins
        return (first > 0.5) != (second > 0.5)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the verdicts with its 95 % interval.

    Attributes:
        name: turns, first, right, longer or lengthened.
        n_yes: Verdicts it is true of.
        n: Verdicts.
        chance: Share that a judge who guesses would have; None where that says nothing.
    """

    name: str
    n_yes: int
    n: int
    chance: float | None = 0.5

    @property
    def share(self) -> float:
        """The share."""
        return self.n_yes / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        return wilson_interval(self.n_yes, self.n)

    @property
    def may_be_chance(self) -> bool:
        """True if guessing lies inside the interval."""
        return self.chance is not None and includes(self.interval, self.chance)


def read_pairs(text: str) -> tuple[JudgedPair, ...]:
    """Pairs from their JSON: a list of `language`, `question`, `better`, `worse`, `longer`.

    Example:
        >>> row = '{"language": "en", "question": "1 + 1?", "better": "2", "worse": "3", "longer": "3, so."}'
        >>> read_pairs("[" + row + "]")[0].better
        '2'
    """
    return tuple(JudgedPair(**one) for one in json.loads(text))


def p_first(logprobs: Sequence[float]) -> float:
    """Probability of the first of two answers, of these two alone.

    Args:
        logprobs: log p of both, nats.

    Example:
        >>> round(p_first([-1.0, -1.0]), 3), round(p_first([-2000.0, -1.0]), 3)
        (0.5, 0.0)
    """
    first, second = logprobs
    return float(np.exp(first - np.logaddexp(first, second)))


def shares(
    pairs: Sequence[JudgedPair], plain: Sequence[Verdict], longer: Sequence[Verdict] | None = None
) -> list[Share]:
    """Facts about a judge, each as a share.

    Args:
        pairs: The pairs, at least one.
        plain: Verdict on each.
        longer: Verdict on each with the worse answer lengthened; None where that has not been asked.

    Returns:
        turns: verdicts that change with the order. first: verdicts for the answer shown first, of both
        orders. right: the better answer wins in the mean of both orders. longer: the longer one does.
        lengthened: that verdict changes once the worse answer is lengthened.
    """
    n = len(pairs)
    orders = [p for one in plain for p in (one.better_first, one.worse_first)]
    right = [one.mean > 0.5 for one in plain]
    is_longer = [len(one.better) > len(one.worse) for one in pairs]
    found = [
        Share("turns", sum(one.turns for one in plain), n),
        Share("first", sum(p > 0.5 for p in orders), len(orders)),
        Share("right", sum(right), n),
        Share("longer", sum(won == better for won, better in zip(right, is_longer, strict=True)), n),
    ]
    if longer is not None:
        changed = [before != (after.mean > 0.5) for before, after in zip(right, longer, strict=True)]
        found.append(Share("lengthened", sum(changed), n, None))
    return found
