"""The code under the pictures of runs that learn from a reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from playground.core.preferences.pair import PreferencePair
from playground.core.reward_hacking import HackingTable
from playground.core.rewards import TextReward
from playground.engine.contract.policies import PolicySettings
from playground.ui import show

N_SHOWN = 3  # rollouts that the shown code repeats


def shipped_run(table: HackingTable, seed: int) -> str:
    """The first rollouts of a shipped run without a leash."""
    return show.code(
        "policy_gradient", model=table.model, prompt=table.prompts[0], reward=asdict(table.reward), seed=seed,
        kl_beta=0.0, epsilon=table.epsilon, learning_rate=table.learning_rate, n_answers=table.n_answers,
        max_new_tokens=table.max_new_tokens, n_updates=table.n_updates, n_shown=N_SHOWN,
    )  # fmt: skip


def live_run(
    settings: PolicySettings, prompt: str, pairs: Sequence[PreferencePair] = (), inverse_penalty: float = 0.1
) -> str:
    """The first rollouts of a run of this session.

    Args:
        settings: Settings of the run.
        prompt: Its prompt.
        pairs, inverse_penalty: Pairs and C of the reward model that judges it, if one does.
    """
    judge: dict[str, Any] = (
        {"reward": asdict(settings.reward)}
        if isinstance(settings.reward, TextReward)
        else {
            "pairs": [(one.prompt, one.chosen, one.rejected) for one in pairs],
            "inverse_penalty": inverse_penalty,
        }
    )
    values: dict[str, Any] = {
        name: getattr(settings, name)
        for name in (
            "model", "seed", "kl_beta", "learning_rate", "n_answers", "max_new_tokens", "n_updates",
        )
    }  # fmt: skip
    lora = settings.lora
    return show.code(
        "policy_gradient", prompt=prompt, n_shown=N_SHOWN, **judge,
        epsilon=min(settings.epsilon, 1e9), r=lora.r, target_modules=list(lora.target_modules), **values,
    )  # fmt: skip
