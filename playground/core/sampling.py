"""From logits to a choice: temperature, top-k, top-p, min-p and typical-p over logits that are sorted once.

Temperature never changes the order of the tokens; top-k, top-p and min-p each keep the first n of that order,
typical-p a stretch of it. So one sort (`rank`) serves every setting: `distribution` only re-weights and cuts.

    logits --rank--> RankedLogits --distribution(Sampling)--> Distribution --draw(u)--> token id

The same transforms in another order keep other tokens. Orders, as the libraries apply them:

- "transformers": temperature, top-k, top-p, min-p, typical-p (`_get_logits_processor`).
- "vllm": temperature, min-p, top-k, top-p (`v1/sample/sampler.py`); it has no typical-p.
- "llama.cpp": top-k, typical-p, top-p, min-p, temperature last (`llama-sampling.cpp`, the default); so its
  greedy choice is the most probable token of those that typical-p leaves, which may not be the first of all.

Each cut sees the survivors of the one before it, re-normalised. In every order a tie with the k-th token is
kept, as transformers and vLLM do; llama.cpp itself stops at exactly k. Penalties come before all of them
(`core.penalties`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from playground.core.ranking import NotRanked, RankedLogits, Weights, end_of_ties

Order = Literal["transformers", "vllm", "llama.cpp"]
ORDERS: tuple[Order, ...] = get_args(Order)


# what a setting may be: the least and the most; top-k is a whole number
LIMITS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_k": (0, math.inf),
    "top_p": (1e-6, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (1e-6, 1.0),
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of a draw: a temperature, four cuts and their order. The defaults change nothing.

    Attributes:
        temperature: Divides the logits; < 1 sharpens, > 1 flattens, 0 = greedy (the smallest id among ties).
        top_k: Keep the k most probable tokens and all that tie with the k-th; 0 or >= d_vocab = all.
        top_p: Keep the smallest set that reaches this mass, the token that crosses it included.
        min_p: Drop tokens less probable than this fraction of the most probable one.
        typical_p: Keep the tokens whose surprisal is nearest to the entropy until they reach this mass.
        order: Library whose order is used; "llama.cpp" differs where temperature or typical-p is not 1.

    Source:
        Temperature: Ackley, Hinton & Sejnowski 1985, "A Learning Algorithm for Boltzmann Machines", 2.
        Top-k: Fan, Lewis & Dauphin 2018, "Hierarchical Neural Story Generation", arXiv:1805.04833, 5.
        Top-p: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", arXiv:1904.09751, 3.1.
        Min-p: Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling", arXiv:2407.01082, 3.
        Typical-p: Meister et al. 2023, "Locally Typical Sampling", arXiv:2202.00666, 4.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    order: Order = "transformers"

    def in_order(self, order: Order) -> Sampling:
        """The same settings in the order of a library, without the one that it lacks.

        Example:
            >>> Sampling(top_k=5, typical_p=0.5).in_order("vllm")
            Sampling(temperature=1.0, top_k=5, top_p=1.0, min_p=0.0, typical_p=1.0, order='vllm')
        """
        return replace(self, order=order, typical_p=1.0 if order == "vllm" else self.typical_p)


UNCHANGED = Sampling()
GREEDY = Sampling(temperature=0.0)


def limits_in(order: Order) -> Mapping[str, tuple[float, float]]:
    """`LIMITS` in the order of a library: vLLM has no typical-p, so there it can only be 1."""
    return {**LIMITS, "typical_p": (1.0, 1.0)} if order == "vllm" else LIMITS


class Distribution(NamedTuple):
    """The distribution that the next token is drawn from.

    Attributes:
        token_ids: The kept tokens, most probable first. Shape [n_kept].
        probs: Their probabilities, summing to 1. Shape [n_kept].
        n_kept: Number of tokens that survived the cuts, at least 1.
        entropy_bits: Uncertainty of the draw: 0 when one token is left, log2(n) when n are equally probable.
    """

    token_ids: NDArray[np.int64]
    probs: NDArray[np.float64]
    n_kept: int
    entropy_bits: float


def distribution(ranked: RankedLogits, sampling: Sampling = UNCHANGED) -> Distribution:
    """Apply the sampling settings to logits that are already ranked.

    Args:
        ranked: From `rank` or `rank_first`.
        sampling: The settings; as they are at first, the model's own distribution.

    Raises:
        ValueError: A setting is outside its limits.
        NotRanked: Tokens are kept that `ranked` does not hold in order.

    Example:
        >>> from playground.core.ranking import rank
        >>> ranked = rank(np.log([0.5, 0.3, 0.15, 0.05]))
        >>> distribution(ranked, Sampling(top_p=0.7)).probs.round(3).tolist()
        [0.625, 0.375]
    """
    _check(sampling)
    top_k, min_p, typical_p, order = sampling.top_k, sampling.min_p, sampling.typical_p, sampling.order
    if sampling.temperature == 0:
        return _greedy(ranked, _first_left(ranked, sampling))
    final = ranked.weights_at(sampling.temperature)
    weights = ranked.weights_at(1.0) if order == "llama.cpp" else final
    first, n = 0, ranked.n_finite
    if min_p > 0 and order == "vllm":
        n = weights.at_least(min_p, n)
    if 0 < top_k < n:
        n = min(n, _top_k(ranked, top_k))
    if typical_p < 1 and order == "llama.cpp":
        first, n = weights.typical(n, typical_p)
    if sampling.top_p < 1:
        n = weights.needed_for(_mass_until(weights, first, n, sampling.top_p), n)
    if min_p > 0 and order != "vllm":
        n = weights.at_least(min_p * weights.each[first], n)
    if typical_p < 1 and order == "transformers":
        first, n = weights.typical(n, typical_p)
    if first:
        return _among(ranked, final, first, n)
    total, entropy_bits = final.among_first(n)
    return Distribution(ranked.token_ids[:n], final.each[:n] / total, n, entropy_bits)


def draw(distribution: Distribution, u: float) -> int:
    """The token at `u` of the way through the cumulative probabilities (inverse transform sampling).

    Args:
        distribution: The distribution to draw from.
        u: Uniform random number, 0 <= u < 1.

    Example:
        >>> from playground.core.ranking import rank
        >>> kept = distribution(rank(np.log([0.5, 0.3, 0.2])))
        >>> [draw(kept, u) for u in (0.0, 0.49, 0.51, 0.99)]
        [0, 0, 1, 2]

    Source:
        Devroye 1986, "Non-Uniform Random Variate Generation", section II.2.
    """
    return int(distribution.token_ids[draw_index(distribution, u)[0]])


def draw_index(distribution: Distribution, u: float) -> tuple[int, float]:
    """Index of the kept token on which a draw falls, and the margin to its neighbour.

    Args:
        distribution: The distribution to draw from.
        u: Uniform random number, 0 <= u < 1.

    Returns:
        Index into `distribution.token_ids`, and the probability mass between u and the nearest token beside.

    Example:
        >>> from playground.core.ranking import rank
        >>> index, margin = draw_index(distribution(rank(np.log([0.5, 0.3, 0.2]))), 0.49)
        >>> index, round(margin, 6)
        (0, 0.01)
    """
    if not 0 <= u < 1:
        raise ValueError(f"u is {u}, expected 0 <= u < 1")
    cumulative = np.cumsum(distribution.probs)
    total = cumulative[-1]
    wanted = u * total
    last = cumulative.searchsorted(total)  # rounding may push u * total up to the total itself
    index = min(int(cumulative.searchsorted(wanted, side="right")), int(last))
    below = wanted - cumulative[index - 1] if index else math.inf
    above = cumulative[index] - wanted if index < last else math.inf
    return index, float(min(below, above) / total)


def _check(sampling: Sampling) -> None:
    """Refuse a setting outside its limits, NaN too."""
    if sampling.order not in ORDERS:
        raise ValueError(f"order is {sampling.order!r}, expected one of {', '.join(ORDERS)}")
    for name, (least, most) in limits_in(sampling.order).items():
        value = getattr(sampling, name)
        if not least <= value <= most:
            raise ValueError(
                f"{name} is {value}, expected {least} to {most} in the order of {sampling.order}"
            )


def _top_k(ranked: RankedLogits, k: int) -> int:
    """Number of tokens among the k most probable and all that tie with the k-th."""
    if k >= len(ranked):
        raise NotRanked
    tied = ranked.logits[k] == ranked.logits[k - 1]
    return end_of_ties(ranked.logits, k - 1) if tied else k


def _mass_until(weights: Weights, first: int, n: int, share: float) -> float:
    """Mass of the ranks up to the one where ranks first to n - 1 have reached this share of their mass."""
    if first == 0:
        return share * weights.of_first(n)
    return weights.of_first(first) + share * (weights.of_first(n) - weights.of_first(first))


def _among(ranked: RankedLogits, weights: Weights, first: int, n: int) -> Distribution:
    """Distribution over ranks first to n - 1, without the most probable token."""
    probs, entropy_bits = weights.stretch(first, n)
    return Distribution(ranked.token_ids[first:n], probs, n - first, entropy_bits)


def _first_left(ranked: RankedLogits, sampling: Sampling) -> int:
    """The most probable rank that is left to a greedy choice; of all cuts only typical-p drops the first."""
    if sampling.order != "llama.cpp" or sampling.typical_p == 1:
        return 0
    n = ranked.n_finite
    if 0 < sampling.top_k < n:
        n = min(n, _top_k(ranked, sampling.top_k))
    return ranked.weights_at(1.0).typical(n, sampling.typical_p)[0]


def _greedy(ranked: RankedLogits, first: int) -> Distribution:
    """All mass on the token of this rank; on the smallest id when several tie with it, as argmax does."""
    last_tie = end_of_ties(ranked.logits, first) - 1
    return Distribution(ranked.token_ids[last_tie : last_tie + 1], np.ones(1), 1, 0.0)
