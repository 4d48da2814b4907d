"""The leash: KL divergence of a policy from its reference, exact and estimated, and the reward it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def kl_divergence(logprobs: ArrayLike, reference_logprobs: ArrayLike) -> Array:
    """KL divergence of a distribution from its reference: sum of p (log p - log q), nats, never below 0.

    Args:
        logprobs: Log-probabilities of all outcomes by the policy, nats. Shape [..., outcome].
        reference_logprobs: The same by the reference. Shape [..., outcome].

    Returns:
        One number per distribution; infinite where the policy does what the reference never does. Shape
        [...].

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
    divergence: Array = np.maximum(terms.sum(-1), 0.0)  # rounding alone can make it negative
    return divergence


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
        Ziegler et al. 2019, "Fine-Tuning Language Models from Human Preferences", arXiv:1909.08593, equation
        2.
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
        >>> mask = [[True, True, False]]
        >>> token_rewards([2.0], [[-1.0, -1.0, 0.0]], [[-2.0, -1.5, 0.0]], mask, beta=0.1).tolist()
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


def tilted(reference_logprobs: ArrayLike, rewards: ArrayLike, beta: float) -> Array:
    """The policy with the most leashed reward: the reference, tilted by the reward.

    No training gets beyond it, and DPO begins with it: turned round, the reward is beta times the log-ratio,
    but for a number that all outcomes share.

    Args:
        reference_logprobs: Log-probabilities of all outcomes by the reference, nats. Shape [..., outcome].
        rewards: Reward of each outcome. Shape [..., outcome].
        beta: Reward that a nat of KL costs, above 0: without a leash the best outcome takes all.

    Returns:
        Log-probabilities by that policy, nats: log p_ref + reward / beta, normalised. Shape [..., outcome].

    Raises:
        ValueError: `beta` is not a number above 0.

    Example:
        >>> np.exp(tilted(np.log([0.5, 0.5]), [np.log(3), 0.0], beta=1.0)).round(4).tolist()
        [0.75, 0.25]

    Source:
        Rafailov et al. 2023, arXiv:2305.18290, equation 4.
    """
    if not 0 < beta < np.inf:
        raise ValueError(f"beta must be a number above 0, got {beta}")
    moved = np.asarray(reference_logprobs, np.float64) + np.asarray(rewards, np.float64) / beta
    normal: Array = moved - np.logaddexp.reduce(moved, axis=-1, keepdims=True)
    return normal
