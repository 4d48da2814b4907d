"""DPO: a model is its own reward model, and learns from pairs of answers without another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Dpo:
    """DPO on a batch of pairs.

    Attributes:
        losses: -log sigmoid(margin), nats; ln 2 while the policy is the reference. Shape [pair].
        chosen_rewards, rejected_rewards: Implicit rewards, nats: beta times the log-ratio of the answer.
            Shape [pair].
        weights: Strength with which a pair pulls: the derivative of its loss is -weight by the
            log-probability of its chosen answer, and +weight by that of the rejected one. Shape [pair].
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
        Rafailov et al. 2023, "Direct Preference Optimization: Your Language Model is Secretly a Reward
        Model", arXiv:2305.18290, equation 7; the weights are those of section 4, "What does the DPO update
        do?".
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
