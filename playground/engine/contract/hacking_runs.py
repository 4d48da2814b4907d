"""The runs that show a hacked reward: one request, of which the leash alone is changed."""

from __future__ import annotations

import math

from playground.core.lora import LoraConfig
from playground.core.reward_hacking import MeasuredAnswer, MeasuredRollout
from playground.core.rewards import TextReward
from playground.engine.contract.policies import (
    PolicyObservation,
    PolicyRequest,
    PolicySettings,
    PromptExample,
)

REWARD = TextReward("pattern", "!")  # exclamation marks
PROMPTS = ("What do you think of my new bike?",)
KL_BETA = 0.5  # of the leash, where it is on: a nat costs half an exclamation mark
N_STEPS, LEARNING_RATE, N_ANSWERS, MAX_NEW_TOKENS, N_UPDATES, RANK = 15, 4e-3, 8, 20, 2, 8


def hacking_settings(
    model: str, name: str, kl_beta: float, seed: int, n_steps: int = N_STEPS, n_prompts: int = 1
) -> PolicySettings:
    """Settings of a run that hacks a reward, or would on a longer leash.

    Args:
        model: Catalogue id of the decoder.
        name: Name of the run for the reader.
        kl_beta: Reward that a nat costs; 0 is without a leash.
        seed: Seed of first values and draws.
        n_steps: Rollouts that are learned from.
        n_prompts: Prompts, each in every rollout.
    """
    return PolicySettings(
        model, name, n_steps, LEARNING_RATE, n_prompts, seed, lora=LoraConfig(RANK, 2.0 * RANK),
        reward=REWARD, kl_beta=kl_beta, n_answers=N_ANSWERS, max_new_tokens=MAX_NEW_TOKENS,
        n_updates=N_UPDATES,
    )  # fmt: skip


def hacking_run(settings: PolicySettings, prompts: tuple[PromptExample, ...], owner: str) -> PolicyRequest:
    """The request of such a run."""
    return PolicyRequest(settings, prompts, owner=owner)


def measured_rollout(told: PolicyObservation) -> MeasuredRollout:
    """An observation of a live run as what is shipped of others."""
    answers = tuple(MeasuredAnswer(one.prompt, one.text, one.reward, one.kl) for one in told.answers)
    clipped = None if math.isnan(told.clipped) else told.clipped
    return MeasuredRollout(
        told.step, told.reward, told.kl, told.k1, clipped, told.entropy, told.spread, answers
    )
