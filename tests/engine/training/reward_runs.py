"""Short runs of reward models on the tiny decoder."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from playground.engine.contract.preferences import PairExample, RewardRequest
from playground.engine.contract.reward_models import RewardSettings
from tests import tiny


def drawn_pairs(n: int, seed: int) -> tuple[PairExample, ...]:
    """Pairs of answers of different lengths to drawn prompts; the first ones share a prompt."""
    random = np.random.default_rng(seed)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(one) for one in random.integers(5, 170, random.integers(low, high)))

    shared = ids(3, 9)
    return tuple(
        PairExample(shared if i < 2 else ids(3, 9), (*ids(2, 7), 1), (*ids(2, 7), 1)) for i in range(n)
    )


def reward_run(seed: int, owner: str = "me", **changes: Any) -> RewardRequest:
    """A run; changes of its settings or of its data."""
    chosen: dict[str, Any] = {
        "model": tiny.LLAMA, "name": f"reward {seed}", "n_steps": 6, "batch_size": 3, "seed": seed,
        "train": drawn_pairs(7, seed), "held_out": drawn_pairs(4, 100 + seed),
    } | changes  # fmt: skip
    names = {one.name for one in fields(RewardSettings)}
    settings = RewardSettings(**{name: chosen.pop(name) for name in names & chosen.keys()})
    return RewardRequest(settings, owner=owner, **chosen)
