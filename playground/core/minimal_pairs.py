"""Minimal pairs: two sentences that differ in little, and which one a model finds less surprising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.core.metrics.intervals import wilson_interval

TIE_BITS = 0.01  # nearer than this, the model prefers neither


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences to compare.

    Attributes:
        group: Name of what the difference is about, "" for none.
        a, b: The sentences.
    """

    group: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """A pair and a model's surprise at both sentences.

    Attributes:
        pair: The sentences.
        bits_a, bits_b: Negative pseudo-log-likelihood of each, bits.
        n_a, n_b: Tokens of each that were predicted.
    """

    pair: MinimalPair
    bits_a: float
    bits_b: float
    n_a: int
    n_b: int

    @property
    def difference(self) -> float:
        """Bits that sentence b costs more than a: positive where the model prefers a.

        Source:
            Nangia et al. 2020, "CrowS-Pairs"; Salazar et al. 2020, "Masked Language Model Scoring".
        """
        return self.bits_b - self.bits_a


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Counts of the pairs whose first sentence a model prefers.

    Attributes:
        group: Name of the pairs, "" for all.
        n: Pairs.
        n_a, n_b: Pairs whose first, whose second sentence it prefers; the others are ties.
        mean_bits: Mean difference, bits.
        low, high: Wilson's 95 % interval of the share of `n_a` among pairs that are no ties.
    """

    group: str
    n: int
    n_a: int
    n_b: int
    mean_bits: float
    low: float
    high: float


def counts(measured: Sequence[MeasuredPair], group: str = "") -> PairCounts:
    """Count preferences.

    Args:
        measured: At least one pair.
        group: Name of these pairs.

    Example:
        >>> pair = MinimalPair("", "a", "b")
        >>> found = counts([MeasuredPair(pair, 1, 3, 1, 1), MeasuredPair(pair, 2, 2, 1, 1)])
        >>> found.n, found.n_a, found.n_b, found.mean_bits
        (2, 1, 0, 1.0)
    """
    n_a = sum(one.difference > TIE_BITS for one in measured)
    n_b = sum(one.difference < -TIE_BITS for one in measured)
    mean = sum(one.difference for one in measured) / len(measured)
    return PairCounts(group, len(measured), n_a, n_b, mean, *wilson_interval(n_a, n_a + n_b))
