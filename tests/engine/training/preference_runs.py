"""Runs of preferences to train in tests."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from playground.core.lora import LoraConfig
from playground.engine.contract.preferences import DpoRequest, DpoSettings, PairExample
from tests import tiny
from tests.engine.training.learning import GPT2_MODULES, LLAMA_MODULES


def pairs(n: int, seed: int, longest: int = 8, d_vocab: int = 300) -> tuple[PairExample, ...]:
    """Pairs of different lengths whose prompts begin alike."""
    random = np.random.default_rng(seed)

    def ids(least: int) -> tuple[int, ...]:
        return tuple(int(one) for one in random.integers(2, d_vocab, random.integers(least, longest)))

    return tuple(PairExample((2, 3, *ids(1)), (5, *ids(2)), (5, *ids(2), 7)) for _ in range(n))


def dpo_run(number: int, model: str = tiny.LLAMA, **changes: Any) -> DpoRequest:
    """A run; changes of its data, of its settings or of those of LoRA."""
    chosen: dict[str, Any] = {
        "target_modules": LLAMA_MODULES if model == tiny.LLAMA else GPT2_MODULES, "seed": number,
        "train": pairs(7, number), "held_out": pairs(3, 100 + number), "name": f"run {number}",
        "n_steps": 6, "learning_rate": 1e-2, "r": 4, "lora_alpha": 8.0, "batch_size": 3, "model": model,
    }  # fmt: skip
    chosen |= changes

    def part(kind: type) -> dict[str, Any]:
        return {one.name: chosen.pop(one.name) for one in fields(kind) if one.name in chosen}

    lora = LoraConfig(**part(LoraConfig))
    return DpoRequest(DpoSettings(lora=lora, **part(DpoSettings)), **chosen)
