"""Logits sorted once, for every sampling setting to cut and re-weight (`core.sampling`)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LN_2 = math.log(2)
ZERO_WEIGHT = -800.0  # exp of it is 0 in any precision; unlike -inf, 0 times it is 0
_HEAD = 4_096  # ranks
_STRIDE = 16  # of the logits that show where the first ranks end


class NotRanked(LookupError):
    """The answer depends on the order of logits that `rank` has not sorted."""


class Weights:
    """`each = exp(scaled)` with `scaled = (logit - max) / temperature`, of ranked logits. Shape [n_ranked].

    Methods raise `NotRanked` where the answer lies among logits that are not ranked.

    Running sums, of the weights and of weight times scaled logit, cover the first ranks, where nearly every
    cut falls, and grow to the whole vocabulary when asked beyond. They are views of plain floats, which
    `bisect` reads faster than an array.
    """

    def __init__(
        self,
        logits: NDArray[np.floating[Any]],
        temperature: float,
        unranked: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        self._logits, self._temperature = logits, temperature
        self.each = self._scaled(logits)
        head = self.each[:_HEAD].copy()
        np.exp(self.each, out=self.each)
        self.total = float(self.each.sum())
        self._n = len(logits)
        if unranked is not None:
            rest = self._scaled(unranked)
            self.total += float(np.exp(rest, out=rest).sum())
            self._n += len(unranked)
        self._running = self._sums(head)  # one tuple: threads share it

    def of_first(self, n: int) -> float:
        """Sum of the first n weights."""
        if n == self._n:
            return self.total
        sums, _products = self._up_to(n)
        return sums[n - 1]

    def needed_for(self, mass: float, n: int) -> int:
        """Number of the first n weights that it takes to reach `mass`."""
        sums, _products = self._running
        if n > len(sums) and sums[-1] < mass:
            sums, _products = self._up_to(len(self.each))
            if n > len(sums) and sums[-1] < mass:
                raise NotRanked
        return min(n, bisect_left(sums, mass, 0, min(n, len(sums))) + 1)

    def among_first(self, n: int) -> tuple[float, float]:
        """Sum of the first n weights, and the entropy in bits of a draw among them.

        log p = scaled - log(sum), so no logarithm of each is needed.
        """
        sums, products = self._up_to(n)
        total = sums[n - 1]
        return total, max(0.0, math.log(total) - products[n - 1] / total) / _LN_2

    def stretch(self, first: int, n: int) -> tuple[NDArray[np.float64], float]:
        """Probabilities [rank] and entropy in bits of a draw among ranks first to n - 1, far from the top.

        Summed anew: the difference of two running sums may have no correct digit that far down.
        """
        scaled = self._scaled(self._logits)[first:n]
        probs = np.exp(scaled - scaled[0])
        probs /= probs.sum()
        positive = probs[probs > 0]
        return probs, max(0.0, -float(positive @ np.log2(positive)))

    def typical(self, n: int, mass: float) -> tuple[int, int]:
        """First and last + 1 of the ranks whose surprisal is nearest to the entropy, up to the mass `mass`.

        Surprisal grows with the rank, so those nearest to any value are neighbours.
        """
        total, entropy_bits = self.among_first(n)
        surprisal = math.log(total) - self._scaled(self._logits)[:n]
        distance = np.abs(surprisal - entropy_bits * _LN_2)
        nearest = np.argsort(distance, kind="stable")
        last = int(np.cumsum(self.each[nearest]).searchsorted(mass * total))
        kept = np.flatnonzero(distance <= distance[nearest[min(last, n - 1)]])
        return int(kept[0]), int(kept[-1]) + 1

    def at_least(self, limit: float, n: int) -> int:
        """Number of the first n weights that are `limit` or more."""
        count = count_at_least(self.each, limit)
        if count == len(self.each) < n:
            raise NotRanked
        return min(n, count)

    def _up_to(self, n: int) -> tuple[Sequence[float], Sequence[float]]:
        """Running sums of at least the first n weights."""
        if n > len(self.each):
            raise NotRanked
        if n > len(self._running[0]):
            self._running = self._sums(self._scaled(self._logits))
        return self._running

    def _scaled(self, logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64]
        with np.errstate(over="ignore"):  # a tiny temperature may send a difference to -inf: weight 0
            scaled = np.subtract(logits, self._logits[0], dtype=np.float64)
            scaled /= self._temperature
        return np.maximum(scaled, ZERO_WEIGHT, out=scaled)

    def _sums(self, scaled: NDArray[np.float64]) -> tuple[Sequence[float], Sequence[float]]:
        weights = self.each[: len(scaled)]
        sums, products = np.cumsum(weights).data, np.cumsum(weights * scaled).data
        return cast("Sequence[float]", sums), cast("Sequence[float]", products)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RankedLogits:
    """Logits from the most to the least probable token; read-only.

    Attributes:
        token_ids: Token of each rank. Among equal logits the larger id comes first, which is what the stable
            ascending sort of transformers' top-p leaves. Shape [n_ranked].
        logits: Logit of each in nats, float32 or float64 as given, -inf last. Shape [n_ranked].
        n_finite: Number of logits of the whole vocabulary that are not -inf.
        unranked: All smaller logits in any order, None where all are ranked. Shape [d_vocab - n_ranked].
    """

    token_ids: NDArray[np.int64]
    logits: NDArray[np.floating[Any]]
    n_finite: int
    unranked: NDArray[np.floating[Any]] | None = None
    _weights: dict[float, Weights] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def log_sum_exp(self) -> float:
        """Log-sum-exp of all logits, in nats: `logits - log_sum_exp` are the model's log-probabilities."""
        return float(self.logits[0]) + math.log(self.weights_at(1.0).total)

    def weights_at(self, temperature: float) -> Weights:
        """Weights for one temperature; the last two are kept, so moving another slider costs no exp."""
        weights = self._weights.get(temperature)
        if weights is not None:
            return weights
        weights = Weights(self.logits, temperature, self.unranked)
        for old in list(self._weights)[:-1]:
            self._weights.pop(old, None)
        self._weights[temperature] = weights
        return weights


def rank(logits: ArrayLike) -> RankedLogits:
    """Sort the logits of one position once.

    Args:
        logits: Unnormalised log-probabilities in nats; -inf bans a token. Shape [d_vocab].

    Raises:
        ValueError: Not one row, empty, holds NaN or +inf, or bans every token.

    Example:
        >>> rank([0.0, 2.0, 1.0]).token_ids.tolist()
        [1, 2, 0]
    """
    row = np.asarray(logits)
    if row.dtype != np.float64:
        row = row.astype(np.float32)
    if row.ndim != 1 or row.size == 0:
        raise ValueError(f"logits have shape {row.shape}, expected [d_vocab] with at least one token")
    token_ids = _descending_float32(row) if row.dtype == np.float32 else np.argsort(row, kind="stable")[::-1]
    ranked = row[token_ids]
    _refuse_unusable(row, ranked)
    n_finite = len(row) if ranked[-1] > -np.inf else int(np.count_nonzero(ranked > -np.inf))
    token_ids.flags.writeable = ranked.flags.writeable = False
    return RankedLogits(token_ids, ranked, n_finite)


def rank_first(logits: NDArray[np.floating[Any]]) -> RankedLogits:
    """Sort the largest logits alone, some thousands: enough for nearly every draw, at a tenth of the price.

    `distribution` gives the same result for them as for all logits, or raises `NotRanked`.

    Args:
        logits: As in `rank`. Shape [d_vocab].

    Raises:
        ValueError: As `rank`.
    """
    sample = logits[::_STRIDE]
    n_first = _HEAD // _STRIDE
    largest = float(logits.max())
    if logits.dtype != np.float32 or len(sample) <= 2 * n_first or not math.isfinite(largest):
        return rank(logits)
    limit = np.partition(sample, len(sample) - n_first)[len(sample) - n_first]
    is_first = logits >= limit
    first, unranked = np.flatnonzero(is_first), logits[~is_first]
    order = _descending_float32(logits[first])
    token_ids = first[order]
    n_finite = len(logits) if unranked.min(initial=limit) > -np.inf else int(np.isfinite(logits).sum())
    return RankedLogits(token_ids, logits[token_ids], n_finite, unranked if len(unranked) else None)


def _descending_float32(row: NDArray[np.float32]) -> NDArray[np.int64]:
    """Order of `row` [n], largest first, larger index first among equals.

    Value and index go into one 64-bit integer, because a sort of plain integers needs no tie-break and is
    vectorised: 1.0 ms for 49,152 logits where a stable argsort takes 6.6.
    """
    bits = (row + np.float32(0)).view(np.int32)  # + 0 turns -0.0 into 0.0, its equal
    ordered = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))  # integers in the order of the floats
    keys = ordered.astype(np.int64) << 32
    keys |= np.arange(len(row), dtype=np.int64)
    keys.sort()
    return keys[::-1] & np.int64(0xFFFFFFFF)


def _refuse_unusable(row: NDArray[np.floating[Any]], ranked: NDArray[np.floating[Any]]) -> None:
    """NaN sorts to an end of the row, whichever its sign."""
    if np.isnan(ranked[0]) or np.isnan(ranked[-1]):
        raise ValueError(f"logits hold NaN at token {int(np.flatnonzero(np.isnan(row))[0])}")
    if ranked[0] == np.inf:
        raise ValueError(f"logits hold +inf at token {int(np.argmax(row))}")
    if ranked[0] == -np.inf:
        raise ValueError("every logit is -inf: no token is left to draw")


def end_of_ties(logits: NDArray[np.floating[Any]], index: int) -> int:
    """One past the last rank whose logit equals that of rank `index`; logits descending, shape [n]."""
    return count_at_least(logits, logits[index])


def count_at_least(descending: NDArray[np.floating[Any]], limit: float) -> int:
    """Number of values that are `limit` or more, in a descending array of shape [n]."""
    return len(descending) - int(descending[::-1].searchsorted(limit))
