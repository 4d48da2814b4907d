"""A policy that learns from preferences or rewards: DPO's loss, PPO's clipped objective, the KL to a reference.

A *policy* is a language model seen as one who acts: its action is the next token. The *reference* is the model
it started from. Everything here is computed from the log-probabilities (nats) that both give to the tokens of
answers; an array of tokens of several answers comes with a mask, because answers are not equally long.

    log-ratio   log pi(token) - log pi_ref(token)      0 while the policy is still the reference
    DPO         the log-ratio of a whole answer, times beta, is its reward: nothing else judges
    PPO         a reward judges; the ratio to the policy that wrote the answer is kept near 1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LIMITS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"beta": (1e-3, 10.0), "epsilon": (0.01, 1.0), "kl_beta": (0.0, 10.0)}
)
"""Name -> the least and the most that a run here may ask for. With DPO's beta at 0 nothing would be learned."""


def summed(logprobs: ArrayLike, mask: ArrayLike) -> Array:
    """Log-probability of each answer: the sum over its tokens, nats. Shape [answer].

    Args:
        logprobs: Log-probability of each token given what stands before it, nats. Shape [answer, token].
        mask: True for the tokens of the answer; others may hold anything. Shape [answer, token].

    Example:
        >>> summed([[-1.0, -2.0], [-3.0, np.nan]], [[True, True], [True, False]]).tolist()
        [-3.0, -3.0]
    """
    values, counts = np.asarray(logprobs, np.float64), np.asarray(mask, np.bool_)
    total: Array = np.where(counts, values, 0.0).sum(-1)
    return total


# ---------------------------------------------------------------- DPO


@dataclass(frozen=True, slots=True, eq=False)
class Dpo:
    """DPO on a batch of pairs.

    Attributes:
        losses: -log sigmoid(margin), nats; ln 2 while the policy is the reference. Shape [pair].
        chosen_rewards, rejected_rewards: Implicit rewards, nats: beta times the log-ratio of the answer. Shape
            [pair].
        weights: Strength with which a pair pulls: the derivative of its loss is -weight by the log-probability
            of its chosen answer, and +weight by that of the rejected one. Shape [pair].
    """

    losses: Array
    chosen_rewards: Array
    rejected_rewards: Array
    weights: Array

    @property
    def loss(self) -> float:
        """Mean loss of the batch, nats."""
        return float(self.losses.mean())

    @property
    def margins(self) -> Array:
        """Implicit reward of the chosen answer less that of the rejected one, nats. Shape [pair]."""
        return self.chosen_rewards - self.rejected_rewards

    @property
    def both_fell(self) -> NDArray[np.bool_]:
        """True where the policy finds both answers less probable than the reference did, and yet prefers the
        chosen one more: the loss knows only the difference. Shape [pair].
        """
        fell: NDArray[np.bool_] = (self.chosen_rewards < 0) & (self.rejected_rewards < 0) & (self.margins > 0)
        return fell


def dpo(
    policy_chosen: ArrayLike,
    policy_rejected: ArrayLike,
    reference_chosen: ArrayLike,
    reference_rejected: ArrayLike,
    beta: float,
) -> Dpo:
    """Direct preference optimization of pairs, from the log-probabilities of whole answers.

    Args:
        policy_chosen, policy_rejected: Log-probability of both answers given the prompt by the model that is
            trained, nats, summed over tokens. Shape [pair].
        reference_chosen, reference_rejected: The same by the model that it started from. Shape [pair].
        beta: Nats of reward per nat of log-ratio, above 0: the larger, the less the policy needs to move.

    Raises:
        ValueError: `beta` is not a number above 0, or the shapes differ.

    Example:
        >>> step_0 = dpo([-9.0], [-8.0], [-9.0], [-8.0], beta=0.1)
        >>> step_0.losses.round(4).tolist(), step_0.weights.tolist()  # ln 2, and beta / 2
        ([0.6931], [0.05])
        >>> later = dpo([-10.0], [-14.0], [-9.0], [-8.0], beta=0.1)
        >>> later.margins.round(4).tolist(), later.both_fell.tolist()  # 0.1 * (-1 + 6)
        ([0.5], [True])

    Source:
        Rafailov et al. 2023, "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        arXiv:2305.18290, equation 7; the weights are those of section 4, "What does the DPO update do?".
    """
    if not 0 < beta < np.inf:
        raise ValueError(f"beta must be a number above 0, got {beta}: at 0 nothing is learned")
    given = [np.asarray(one, np.float64) for one in
             (policy_chosen, policy_rejected, reference_chosen, reference_rejected)]  # fmt: skip
    if len({one.shape for one in given}) > 1:
        raise ValueError(f"one number a pair in each, got the shapes {[one.shape for one in given]}")
    with np.errstate(invalid="ignore"):  # a run that diverged: NaN stays NaN
        by_chosen, by_rejected = beta * (given[0] - given[2]), beta * (given[1] - given[3])
        margins = by_chosen - by_rejected
        weights = beta * np.exp(-np.logaddexp(0.0, margins))
        return Dpo(np.logaddexp(0.0, -margins), by_chosen, by_rejected, weights)


# ---------------------------------------------------------------- policy gradient and PPO


@dataclass(frozen=True, slots=True, eq=False)
class Clipped:
    """PPO's objective of tokens, to be made large.

    Attributes:
        ratios: Probability of each token by the policy, divided by that of the policy that wrote it. Shape
            [..., token].
        objective: The smaller of ratio * advantage and clipped ratio * advantage. Shape [..., token].
        is_outside: True where the ratio is further from 1 than epsilon. Shape [..., token].
        is_clipped: True where the clipped term is the smaller one, so that the token pulls no more. Shape
            [..., token].
        gradient: Derivative of the objective by the token's log-probability. Shape [..., token].
    """

    ratios: Array
    objective: Array
    is_outside: NDArray[np.bool_]
    is_clipped: NDArray[np.bool_]
    gradient: Array


def clipped_objective(
    logprobs: ArrayLike, old_logprobs: ArrayLike, advantages: ArrayLike, epsilon: float = 0.2
) -> Clipped:
    """PPO's clipped objective of each token.

    The smaller of two is taken, so the clip only ever takes a gain away: a token that has moved too far the
    wrong way still pulls back.

    Args:
        logprobs: Log-probability of each token by the policy that is trained, nats. Shape [..., token].
        old_logprobs: The same by the policy that wrote the tokens. Shape [..., token].
        advantages: Reward of a token less what was expected; of a whole answer, for all of its tokens. A shape
            that fits [..., token].
        epsilon: Distance from 1 at which the ratio is clipped; infinite for the objective without a clip.

    Raises:
        ValueError: `epsilon` is NaN or below 0.

    Example:
        >>> found = clipped_objective(np.log([0.3, 0.3, 0.1]), np.log([0.2, 0.2, 0.2]), [1.0, -1.0, 1.0])
        >>> found.ratios.round(2).tolist(), found.objective.round(2).tolist()
        ([1.5, 1.5, 0.5], [1.2, -1.5, 0.5])
        >>> found.is_outside.tolist(), found.is_clipped.tolist()
        ([True, True, True], [True, False, False])

    Source:
        Schulman et al. 2017, "Proximal Policy Optimization Algorithms", arXiv:1707.06347, equation 7.
    """
    if not epsilon >= 0:
        raise ValueError(f"epsilon must be at least 0, got {epsilon}")
    new, old = np.asarray(logprobs, np.float64), np.asarray(old_logprobs, np.float64)
    with np.errstate(over="ignore"):
        ratios = np.exp(new - old)
    gains = np.broadcast_to(np.asarray(advantages, np.float64), ratios.shape)
    free = ratios * gains
    within = np.clip(ratios, 1 - epsilon, 1 + epsilon) * gains
    is_clipped = within < free
    return Clipped(
        ratios, np.minimum(free, within), np.abs(ratios - 1) > epsilon, is_clipped, np.where(is_clipped, 0.0, free)
    )


def masked_share(flags: ArrayLike, mask: ArrayLike) -> float:
    """Share of the tokens of answers for which something is true; NaN without tokens.

    Args:
        flags: True or False for each token, as `Clipped.is_clipped`. Shape [answer, token].
        mask: True for the tokens of the answers. Shape [answer, token].

    Example:
        >>> masked_share([[True, False], [True, True]], [[True, True], [True, False]]) == 2 / 3
        True
    """
    counts = np.asarray(mask, np.bool_)
    return float(np.asarray(flags, np.bool_)[counts].mean()) if counts.any() else float("nan")


def leave_one_out(rewards: ArrayLike) -> Array:
    """Advantage of each answer to a prompt: its reward less the mean reward of the other answers to it.

    The others are a baseline that needs no second network and, not depending on the answer itself, leaves the
    gradient's expectation as it is.

    Args:
        rewards: Rewards of at least two answers to each prompt. Shape [prompt, answer].

    Raises:
        ValueError: A prompt has fewer than two answers.

    Example:
        >>> leave_one_out([[3.0, 1.0, 2.0]]).tolist()
        [[1.5, -1.5, 0.0]]

    Source:
        Kool et al. 2019, "Buy 4 REINFORCE Samples, Get a Baseline for Free!"; Ahmadian et al. 2024, "Back to
        Basics", arXiv:2402.14740 (RLOO).
    """
    given = np.asarray(rewards, np.float64)
    n = given.shape[-1] if given.ndim else 0
    if n < 2:
        raise ValueError(f"a baseline needs two answers to each prompt, got {n}")
    advantages: Array = (given - given.mean(-1, keepdims=True)) * (n / (n - 1))
    return advantages


# ---------------------------------------------------------------- the leash


def kl_divergence(logprobs: ArrayLike, reference_logprobs: ArrayLike) -> Array:
    """KL divergence of a distribution from its reference: sum of p (log p - log q), nats, never below 0.

    Args:
        logprobs: Log-probabilities of all outcomes by the policy, nats. Shape [..., outcome].
        reference_logprobs: The same by the reference. Shape [..., outcome].

    Returns:
        One number per distribution; infinite where the policy does what the reference never does. Shape [...].

    Example:
        >>> kl_divergence(np.log([0.5, 0.5]), np.log([0.25, 0.75])).round(4)  # 1/2 ln 2 + 1/2 ln 2/3
        np.float64(0.1438)

    Source:
        Kullback & Leibler 1951, "On Information and Sufficiency", Annals of Mathematical Statistics 22.
    """
    p, q = np.asarray(logprobs, np.float64), np.asarray(reference_logprobs, np.float64)
    weights = np.exp(p)
    with np.errstate(invalid="ignore"):
        terms = np.where(weights > 0, weights * (p - q), 0.0)
    return np.maximum(terms.sum(-1), 0.0)  # rounding alone can make it negative


@dataclass(frozen=True, slots=True, eq=False)
class KlEstimates:
    """Estimates of the KL divergence from its reference by the tokens that a policy drew, one a token, nats.

    Attributes:
        k1: The log-ratio: right on average, but below 0 about as often as above. Shape [..., token].
        k2: Half its square: never below 0, but not right on average. Shape [..., token].
        k3: 1 / ratio - 1 + log-ratio: never below 0, and right on average. Shape [..., token].
    """

    k1: Array
    k2: Array
    k3: Array


def kl_estimates(logprobs: ArrayLike, reference_logprobs: ArrayLike) -> KlEstimates:
    """Estimates of the KL divergence where only the drawn tokens' log-probabilities are known.

    Args:
        logprobs: Log-probability of each token by the policy that drew it, nats. Shape [..., token].
        reference_logprobs: The same by the reference. Shape [..., token].

    Example:
        >>> found = kl_estimates([np.log(0.5)], [np.log(0.25)])
        >>> found.k1.round(4).tolist(), found.k2.round(4).tolist(), found.k3.round(4).tolist()
        ([0.6931], [0.2402], [0.1931])

    Source:
        Schulman 2020, "Approximating KL Divergence", joschu.net/blog/kl-approx.html.
    """
    log_ratio = np.asarray(logprobs, np.float64) - np.asarray(reference_logprobs, np.float64)
    return KlEstimates(log_ratio, log_ratio**2 / 2, np.expm1(-log_ratio) + log_ratio)


def leashed(rewards: ArrayLike, kl: ArrayLike, beta: float) -> Array:
    """Reward of each answer less beta times its KL divergence from the reference. Shape [answer].

    Args:
        rewards: Reward of each answer. Shape [answer].
        kl: KL divergence of each, or an estimate of it, summed over its tokens, nats. Shape [answer].
        beta: Reward that a nat of distance costs; 0 is without a leash.

    Example:
        >>> leashed([2.0, 5.0], [1.0, 40.0], beta=0.1).tolist()
        [1.9, 1.0]

    Source:
        Ziegler et al. 2019, "Fine-Tuning Language Models from Human Preferences", arXiv:1909.08593, equation 2.
    """
    left: Array = np.asarray(rewards, np.float64) - beta * np.asarray(kl, np.float64)
    return left


def token_rewards(
    rewards: ArrayLike, logprobs: ArrayLike, reference_logprobs: ArrayLike, mask: ArrayLike, beta: float
) -> Array:
    """The leashed reward, token by token: each pays for its own log-ratio, the last one brings the reward.

    Args:
        rewards: Reward of each answer. Shape [answer].
        logprobs, reference_logprobs: Log-probability of each token by the policy and by the reference, nats.
            Shape [answer, token].
        mask: True for the tokens of the answer, at least one of each. Shape [answer, token].
        beta: Reward that a nat costs.

    Returns:
        Their sums are `leashed` with k1; 0 outside the mask. Shape [answer, token].

    Example:
        >>> token_rewards([2.0], [[-1.0, -1.0, 0.0]], [[-2.0, -1.5, 0.0]], [[True, True, False]], 0.1).tolist()
        [[-0.1, 1.95, 0.0]]

    Source:
        Ziegler et al. 2019, arXiv:1909.08593, section 2; Ouyang et al. 2022, arXiv:2203.02155, appendix C.4.
    """
    counts = np.asarray(mask, np.bool_)
    paid = -beta * kl_estimates(logprobs, reference_logprobs).k1
    each: Array = np.where(counts, paid, 0.0)
    last = counts.shape[1] - 1 - counts[:, ::-1].argmax(1)
    each[np.arange(len(each)), last] += np.asarray(rewards, np.float64)
    return each
