"""The part of the engine contract about policy gradients: a model that learns from its own answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from playground.core.policy.answers import LIMITS
from playground.core.rewards import TextReward
from playground.engine.contract.limits import check_limits
from playground.engine.contract.training import AdapterRequest, FinetuneSettings, Observation
from playground.errors import BadValue

POLICY = "policy"  # name of the kind of training
MAX_PROMPTS = 8  # that a run draws answers to
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HeadReward:
    """A reward that a trained reward model gives.

    Attributes:
        head: Id of a reward head of the same base.
    """

    head: str


@dataclass(frozen=True, slots=True)
class PromptExample:
    """A prompt that answers are drawn to."""

    prompt_ids: Ids

    @property
    def n_tokens(self) -> int:
        """Tokens that are read before an answer."""
        return len(self.prompt_ids)

    @property
    def n_trained(self) -> int:
        """Prompts that count: one."""
        return 1


@dataclass(frozen=True, slots=True)
class PolicySettings(FinetuneSettings):
    """Settings of a run that trains an adapter by policy gradient; LoRA without a remedy.

    A step is one rollout, answers that are newly drawn, and the updates on it.

    Attributes:
        reward: Judge of every answer.
        epsilon: Distance of a token's ratio from 1 at which PPO clips; infinite for no clip.
        kl_beta: Reward that a nat of distance from the reference costs; 0 is without a leash.
        n_answers: Answers that are drawn to each prompt of a step.
        max_new_tokens: Most tokens of an answer.
        n_updates: Updates on the answers of one rollout; with one alone nothing is ever clipped.
        temperature: Of the draw; the policy is the distribution at this temperature.
    """

    LIMITS: ClassVar[Mapping[str, tuple[int, int]]] = MappingProxyType(
        dict(FinetuneSettings.LIMITS) | {"n_answers": (2, 16), "max_new_tokens": (1, 48), "n_updates": (1, 4)}
    )

    OBSERVED_EVERY: ClassVar[int] = 1

    n_steps: int = 15
    learning_rate: float = 1e-3
    batch_size: int = 1
    keep_best: bool = False
    objective: str = POLICY
    reward: TextReward | HeadReward = field(default_factory=lambda: TextReward("characters"))
    epsilon: float = 0.2
    kl_beta: float = 0.1
    n_answers: int = 8
    max_new_tokens: int = 24
    n_updates: int = 2
    temperature: float = 1.0

    def check(self) -> None:
        """Refuse what a policy gradient cannot be asked; LoRA's own limits are the engine's to check.

        Raises:
            BadValue: A setting is out of range or NaN, another method than LoRA, a remedy, or a reward that
                cannot be computed.
        """
        check_limits(
            {name: (getattr(self, name), *both) for name, both in PolicySettings.LIMITS.items()}
            | {"kl_beta": (self.kl_beta, *LIMITS["kl_beta"]), "temperature": (self.temperature, 0.1, 2.0)}
            | ({} if self.epsilon == math.inf else {"epsilon": (self.epsilon, *LIMITS["epsilon"])})
        )
        check_plain_lora(self)
        if isinstance(self.reward, TextReward):
            self.reward.check()


@dataclass(frozen=True, slots=True)
class PolicyRequest(AdapterRequest):
    """A run that trains an adapter of a decoder on its own answers; nothing is held out."""

    settings: PolicySettings
    train: tuple[PromptExample, ...]
    held_out: tuple[PromptExample, ...] = ()
    general: tuple[PromptExample, ...] = ()

    @property
    def most_tokens(self) -> int:
        """As many as a step can read: each prompt once, every answer at full length."""
        asked = self.settings
        each = max(one.n_tokens for one in self.train) + asked.n_answers * asked.max_new_tokens
        return asked.batch_size * each


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """An answer that a policy drew.

    Attributes:
        prompt: Place of its prompt in the request.
        text: The answer.
        reward: Its reward, without the leash.
        kl: KL divergence of the policy from the reference along it, summed over its tokens, nats.
    """

    prompt: int
    text: str
    reward: float
    kl: float


@dataclass(frozen=True, slots=True)
class PolicyObservation(Observation):
    """A rollout: answers drawn by the policy as it was after so many steps.

    Attributes:
        reward: Mean reward of the answers, without the leash.
        kl: Mean over the answers of the exact KL divergence from the reference along each, nats an answer.
        k1: The same estimated by the drawn tokens alone, the log-ratio; may be below 0.
        clipped: Share of the tokens whose objective was clipped in the last update before these answers; NaN
            before the first one.
        entropy: Mean entropy of the next-token distribution along the answers, nats a token.
        answers: The answers, or the first of them.
        spread: Standard deviation of the rewards of the answers to one prompt, mean over the prompts: 0 where
            all are worth the same, and nothing can be learned.
    """

    reward: float
    kl: float
    k1: float
    clipped: float
    entropy: float
    answers: tuple[PolicyAnswer, ...]
    spread: float


def check_plain_lora(settings: FinetuneSettings) -> None:
    """Refuse another method than LoRA, and a remedy against forgetting.

    Raises:
        BadValue.
    """
    if settings.method != "lora":
        raise BadValue(name="method", value=repr(settings.method)[:40], allowed="lora")
    if settings.remedy.kind != "none":
        raise BadValue(name="remedy", value=repr(settings.remedy.kind)[:40], allowed="none")
