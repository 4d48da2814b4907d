"""Short runs on pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.engine.contract.pairs import NetworkConfig, PairSettings, PairsRequest, pairs_request


def pairs_run(
    seed: int, owner: str = "me", *, n_train: int = 40, n_held_out: int = 6, **changes: Any
) -> PairsRequest:
    """A run on short words that are reversed; changes of its settings or of its network."""
    shape = {
        name: changes.pop(name)
        for name in ("kind", "attention", "d_hidden", "d_embedding")
        if name in changes
    }
    chosen: dict[str, Any] = {
        "name": f"pairs {seed}", "n_steps": 6, "learning_rate": 5e-3, "batch_size": 4, "seed": seed,
        "data": "reverse", "max_length": 6,
    } | changes  # fmt: skip
    network = NetworkConfig(**{"d_hidden": 16, "d_embedding": 8} | shape)
    request = pairs_request(PairSettings(network=network, **chosen), owner)
    return replace(request, train=request.train[:n_train], held_out=request.held_out[:n_held_out])
