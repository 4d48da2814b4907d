"""PPO's clipped objective on answers that a policy wrote, and what they are worth beside others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


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
        advantages: Reward of a token less what was expected; of a whole answer, for all of its tokens. A
            shape that fits [..., token].
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
        ratios,
        np.minimum(free, within),
        np.abs(ratios - 1) > epsilon,
        is_clipped,
        np.where(is_clipped, 0.0, free),
    )


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
