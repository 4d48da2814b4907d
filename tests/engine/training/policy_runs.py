"""Runs that learn from rewards, to train in tests."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from playground.core.lora import LoraConfig
from playground.core.rewards import TextReward
from playground.engine.contract.policies import PolicyRequest, PolicySettings, PromptExample
from tests import tiny
from tests.engine.training.learning import GPT2_MODULES, LLAMA_MODULES

EVERY_CHARACTER = TextReward("pattern", "[a-m]")  # of random vocabularies about half of what is written


def prompts(n: int, seed: int, longest: int = 7, d_vocab: int = 300) -> tuple[PromptExample, ...]:
    """Prompts of different lengths."""
    random = np.random.default_rng(seed)
    return tuple(
        PromptExample(tuple(int(one) for one in random.integers(2, d_vocab, random.integers(2, longest))))
        for _ in range(n)
    )


def policy_run(number: int, model: str = tiny.LLAMA, **changes: Any) -> PolicyRequest:
    """A run; changes of its data, of its settings or of those of LoRA."""
    chosen: dict[str, Any] = {
        "target_modules": LLAMA_MODULES if model == tiny.LLAMA else GPT2_MODULES, "seed": number,
        "train": prompts(5, number), "name": f"run {number}", "n_steps": 4, "learning_rate": 1e-2, "r": 4,
        "lora_alpha": 8.0, "batch_size": 2, "model": model, "n_answers": 3, "max_new_tokens": 5,
        "reward": EVERY_CHARACTER,
    }  # fmt: skip
    chosen |= changes

    def part(kind: type) -> dict[str, Any]:
        return {one.name: chosen.pop(one.name) for one in fields(kind) if one.name in chosen}

    lora = LoraConfig(**part(LoraConfig))
    return PolicyRequest(PolicySettings(lora=lora, **part(PolicySettings)), **chosen)
