"""Figures of a search: how far up the right ones stand among what was found.

found  o x o o x   (x: relevant)   hit@3 = 1   reciprocal rank = 1/2
gain     1     1                   DCG = 1/log2(3) + 1/log2(6), divided by that of the best order
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.core.metrics.intervals import bootstrap_interval, wilson_interval


def hit_at(relevant: Sequence[bool], k: int) -> bool:
    """True if something relevant is among the first k that were found.

    Args:
        relevant: True for each that was found and is relevant, best found first.
        k: First ranks that count, at least 1.

    Example:
        >>> hit_at([False, True], 1), hit_at([False, True], 3)
        (False, True)
    """
    return any(relevant[:k])


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """1 / rank of the first relevant one, 0 where there is none; its mean over questions is MRR.

    Args:
        relevant: As in `hit_at`.

    Example:
        >>> reciprocal_rank([False, False, True, True])
        0.3333333333333333

    Source:
        Voorhees 1999, "The TREC-8 Question Answering Track Report".
    """
    return next((1 / rank for rank, one in enumerate(relevant, 1) if one), 0.0)


def ndcg(gains: Sequence[float], all_gains: Sequence[float], k: int) -> float:
    """Discounted cumulative gain of the first k over that of the best order, 0 to 1; 0 without any gain.

    Args:
        gains: Gain of each that was found, best found first; 0 for what is not relevant.
        all_gains: Gains of everything that could have been found, in any order.
        k: First ranks that count, at least 1.

    Example:
        >>> round(ndcg([0, 1], [1, 0, 0], 3), 3)
        0.631

    Source:
        Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", TOIS 20(4).
    """
    best = _dcg(sorted(all_gains, reverse=True)[:k])
    return _dcg(gains[:k]) / best if best else 0.0


def _dcg(gains: Sequence[float]) -> float:
    discounts = np.log2(np.arange(2, len(gains) + 2))
    return float((np.asarray(gains, dtype=np.float64) / discounts).sum())


@dataclass(frozen=True, slots=True)
class Ranked:
    """Chunks that were found for one question.

    Attributes:
        relevant: True for each that was found and is relevant, best found first.
        n_relevant: Relevant ones that there are; 0 counts as a question that nothing can find.
    """

    relevant: tuple[bool, ...]
    n_relevant: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The mean of a figure over some questions; `low` to `high` is its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RankingFigures:
    """Figures of a search over some questions.

    Attributes:
        n: Questions.
        hit: Share of questions with something relevant among the first k; interval by Wilson.
        mrr: Mean reciprocal rank, of the first k ranks; interval by the bootstrap over questions.
        ndcg: Mean nDCG of the first k ranks; interval by the bootstrap over questions.
    """

    n: int
    hit: Figure
    mrr: Figure
    ndcg: Figure


def ranking_figures(found: Sequence[Ranked], k: int, *, seed: int = 0) -> RankingFigures:
    """Hit rate, MRR and nDCG of the first k, each with its 95 % interval.

    Args:
        found: One entry a question.
        k: First ranks that count, at least 1.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no question.

    Example:
        >>> figures = ranking_figures([Ranked((True, False), 1), Ranked((False, False), 1)], 2)
        >>> figures.n, figures.hit.value, figures.mrr.value
        (2, 0.5, 0.5)
    """
    if not found:
        raise ValueError("no question")
    hits = sum(hit_at(one.relevant, k) for one in found)
    reciprocal = [reciprocal_rank(one.relevant[:k]) for one in found]
    gained = [
        ndcg([float(is_right) for is_right in one.relevant], [1.0] * one.n_relevant, k) for one in found
    ]
    n = len(found)
    return RankingFigures(
        n, Figure(hits / n, *wilson_interval(hits, n)), _mean(reciprocal, seed), _mean(gained, seed)
    )


def _mean(values: Sequence[float], seed: int) -> Figure:
    each = np.asarray(values, dtype=np.float64)
    low, high = bootstrap_interval(lambda at: float(each[at].mean()), len(each), seed=seed)
    return Figure(float(each.mean()), low, high)
