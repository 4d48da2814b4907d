"""The outcomes of one choice with a reward each, and what the best policy on a leash makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.policy.leash import kl_divergence, tilted

Array = NDArray[np.float64]
N_SHOWN = 8  # outcomes that each of a few leashes makes the most probable are named
NAMED_AT = (np.inf, 1.0, 0.3, 0.1)  # those leashes: the reference itself, and shorter and shorter ones
MOST_NAMED = 14


@dataclass(frozen=True, slots=True, eq=False)
class Leashed:
    """The best policy on one leash.

    Attributes:
        probs: Probability of each named outcome. Shape [outcome].
        rest: Probability of each group of the others. Shape [group].
        reward: Expected reward.
        kl: KL divergence from the reference, nats.
    """

    probs: Array
    rest: Array
    reward: float
    kl: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """All outcomes of a choice: some by name, the others together with those of the same reward.

    The tilt changes all outcomes of one reward by the same factor, so nothing is lost by that.

    Attributes:
        places: Named outcomes, as places among all, the most probable first. Shape [outcome].
        probs, rewards: Their probability by the reference, and their reward. Shape [outcome].
        rest_probs, rest_rewards: The same of the groups. Shape [group].
    """

    places: NDArray[np.int64]
    probs: Array
    rewards: Array
    rest_probs: Array
    rest_rewards: Array

    def at(self, beta: float) -> Leashed:
        """The policy with the most expected reward less beta times its KL divergence.

        Args:
            beta: Reward that a nat of KL costs, above 0.

        Example:
            >>> both = outcomes([0.5, 0.5], [np.log(3), 0.0])
            >>> found = both.at(1.0)
            >>> found.probs.round(4).tolist(), round(found.reward, 4), round(found.kl, 4)
            ([0.75, 0.25], 0.824, 0.1308)
        """
        with np.errstate(divide="ignore"):
            before = np.log(np.concatenate([self.probs, self.rest_probs]))
        rewards = np.concatenate([self.rewards, self.rest_rewards])
        after = tilted(before, rewards, beta)
        probs, n = np.exp(after), len(self.probs)
        return Leashed(probs[:n], probs[n:], float(probs @ rewards), float(kl_divergence(after, before)))


def outcomes(probs: ArrayLike, rewards: ArrayLike) -> Outcomes:
    """Outcomes of a choice, those named that the reference or a short leash makes probable.

    Args:
        probs: Probability of each by the reference; they add up to 1. Shape [outcome].
        rewards: Reward of each. Shape [outcome].

    Example:
        >>> found = outcomes(np.full(100, 0.01), [*range(50), *range(50)])
        >>> len(found.probs), len(found.rest_probs), round(found.probs.sum() + found.rest_probs.sum(), 9)
        (14, 47, np.float64(1.0))
    """
    p, r = np.asarray(probs, np.float64), np.asarray(rewards, np.float64)
    named = _named(p, r)
    is_rest = np.ones(len(p), np.bool_)
    is_rest[named] = False
    values, group = np.unique(r[is_rest], return_inverse=True)
    mass: Array = np.zeros(len(values))
    np.add.at(mass, group, p[is_rest])
    return Outcomes(np.array(named, np.int64), p[named], r[named], mass, values)


def sampled(rewards: ArrayLike) -> Outcomes:
    """Answers that the reference wrote: each stands for as much of it as any other. Shape [answer].

    Args:
        rewards: Reward of each answer. Shape [answer].
    """
    given = np.asarray(rewards, np.float64)
    n = len(given)
    return Outcomes(np.arange(n), np.full(n, 1 / n), given, np.zeros(0), np.zeros(0))


def _named(probs: Array, rewards: Array) -> list[int]:
    """Places of the outcomes that are named, by their probability."""
    with np.errstate(divide="ignore"):
        log_probs = np.log(probs)
    found: dict[int, None] = {}
    each = [log_probs + (0.0 if np.isinf(beta) else rewards / beta) for beta in NAMED_AT]
    for rank in range(min(N_SHOWN, len(probs))):
        for score in each:
            if len(found) < MOST_NAMED:
                found.setdefault(int(np.argsort(-score, kind="stable")[rank]))
    return sorted(found, key=lambda place: -probs[place])


def path(choice: Outcomes, betas: Sequence[float]) -> Array:
    """Expected reward and KL divergence of the best policy on each leash. Shape [beta, 2].

    Args:
        choice: Outcomes and rewards.
        betas: Reward that a nat costs, each above 0.
    """
    each = [choice.at(beta) for beta in betas]
    return np.array([[one.reward, one.kl] for one in each])
