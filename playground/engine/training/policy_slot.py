"""The slot of a run that learns from rewards: its adapter's numbers, its answers and what they are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.policy.leash import leashed
from playground.core.policy.ppo import leave_one_out
from playground.engine.contract.adapters import Linear
from playground.engine.contract.policies import PolicyAnswer, PolicyRequest, PolicySettings, PromptExample
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.rollouts import Compared, Written
from playground.engine.training.run import text_order

Array = NDArray[np.float64]
Batch = tuple[PromptExample, ...]
ROUNDING = 1e-3  # nats: two forwards of one model differ by less along an answer
Judge = Callable[[Written, Sequence[str]], Array]
"""Reward of each answer: of (answers, their texts)."""


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """Answers of one slot, judged.

    Attributes:
        written, compared: The answers, and what policy and reference think of them.
        texts: Text of each answer.
        rewards: Reward of each, without the leash. Shape [answer].
        settings: Settings of the run.
    """

    written: Written
    compared: Compared
    texts: tuple[str, ...]
    rewards: Array
    settings: PolicySettings

    @property
    def kl(self) -> Array:
        """KL divergence from the reference along each answer, exact, nats. Shape [answer]."""
        return self._summed(self.compared.kl)

    @property
    def k1(self) -> Array:
        """Log-ratio of each answer to the reference, nats. Shape [answer]."""
        return self._summed(self.written.logprobs.double() - self.compared.reference)

    @property
    def advantages(self) -> Array:
        """Leashed reward of each answer less the mean of the others to its prompt. Shape [answer].

        Where all answers to a prompt are worth the same and the policy is still the reference, what is left
        is rounding: 0, or Adam, which does not see a gradient's scale, would make whole steps of it.
        """
        rewards = self.rewards.reshape(-1, self.settings.n_answers)
        k1 = self.k1.reshape(rewards.shape)
        is_noise = (np.ptp(rewards, axis=1) == 0) & (np.abs(k1).max(axis=1) < ROUNDING)
        k1[is_noise] = 0.0
        return leave_one_out(leashed(rewards, k1, self.settings.kl_beta)).reshape(-1)

    @property
    def gains(self) -> Array:
        """Advantage of the answer of every token. Shape [token]."""
        return np.repeat(self.advantages, self.written.lengths)

    @property
    def spread(self) -> float:
        """Standard deviation of the rewards of the answers to one prompt, mean over the prompts."""
        return float(self.rewards.reshape(-1, self.settings.n_answers).std(-1).mean())

    @property
    def weights(self) -> Array:
        """Share of every token in the loss: prompts count alike, and so do the tokens of a prompt's answers.

        Returns:
            Their sum is 1. Shape [token].
        """
        lengths = np.array(self.written.lengths).reshape(-1, self.settings.n_answers)
        each = 1 / (len(lengths) * lengths.sum(1))
        return np.repeat(each, lengths.sum(1))

    @property
    def losses(self) -> list[float]:
        """Loss of each prompt before the first update, where every ratio is 1."""
        lengths = np.array(self.written.lengths).reshape(-1, self.settings.n_answers).sum(1)
        each = np.split(-self.gains * self.weights * len(lengths), np.cumsum(lengths)[:-1])
        return [float(one.sum()) for one in each]

    def shown(self, places: Sequence[int], most: int) -> tuple[PolicyAnswer, ...]:
        """The answers, the first of each prompt before the second of any.

        Args:
            places: Place of each prompt in the request.
            most: So many at most.
        """
        n = self.settings.n_answers
        order = [prompt * n + at for at in range(n) for prompt in range(len(places))]
        kl = self.kl
        return tuple(
            PolicyAnswer(places[one // n], self.texts[one], float(self.rewards[one]), float(kl[one]))
            for one in order[:most]
        )

    def _summed(self, each: torch.Tensor) -> Array:
        """Sum over the tokens of each answer. [token] -> [answer]."""
        parts = torch.split(each, self.written.lengths)
        return np.array([float(one.double().sum()) for one in parts])


class PolicySlot(AdapterSlot):
    """The slot of a run that learns from rewards.

    Args:
        request, loaded, layers: As in `AdapterSlot`.
        judge: Gives the rewards.

    Attributes:
        judge: Gives the rewards.
        written: Prompts and answers of its next step; None until they are asked for.
        rollout: The same, judged.
        clipped: Share of the tokens that were clipped in its last update; NaN before.
    """

    request: PolicyRequest

    def __init__(
        self, request: PolicyRequest, loaded: LoadedModel, layers: Mapping[str, Linear], judge: Judge
    ) -> None:
        super().__init__(request, loaded, layers)
        self.group = (self.group, request.settings.n_updates)
        self.guess_loss = math.inf  # an objective has no worst value
        self.judge = judge
        self.written: tuple[Batch, Written] | None = None
        self.rollout: Rollout | None = None
        self.clipped = math.nan

    @property
    def settings(self) -> PolicySettings:
        """Settings of its run."""
        return self.request.settings

    @property
    def n_steps(self) -> int:
        """Steps it has done."""
        return self.n_updates // self.settings.n_updates

    def places(self, step: int) -> list[int]:
        """Places of the prompts that the policy of so many steps answers.

        Args:
            step: Steps done.
        """
        size = self.settings.batch_size
        order = text_order(len(self.request.train), (step + 1) * size, self.settings.seed)
        return [int(at) for at in order[step * size :][:size]]

    def next_batch(self) -> Batch:
        """The prompts that its next step learns from."""
        return tuple(self.request.train[at] for at in self.places(self.n_steps))

    def restorer(self) -> Callable[[], None]:
        """Gives what sets answers, random stream and counts back to what they are now."""
        state, written, rollout = self.random.get_state(), self.written, self.rollout
        clipped, n_updates = self.clipped, self.n_updates

        def restore() -> None:
            self.random.set_state(state)
            self.written, self.rollout = written, rollout
            self.clipped, self.n_updates = clipped, n_updates

        return restore

    def has_written_to(self, batch: Batch) -> bool:
        """True if answers to these prompts are there."""
        return self.written is not None and self.written[0] == batch

    def drop(self) -> None:
        """Forget the answers: they have been learned from, or are those of other prompts."""
        self.written = self.rollout = None

    def forget(self) -> None:
        """Release its memory and its base; the run has ended."""
        super().forget()
        self.drop()
