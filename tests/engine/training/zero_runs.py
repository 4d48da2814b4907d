"""Short runs from zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.engine.contract.pretraining import (
    PretrainingRequest,
    PretrainingSettings,
    pretraining_request,
)

TEXT = "".join(
    f"On day {day} the cat sat on the mat and the dog ran to the {place}.\n"
    for day, place in enumerate(["sea", "hill", "old house", "river", "road"] * 8)
)


def zero_run(
    seed: int, owner: str = "me", *, text: str = TEXT, prompts: tuple[str, ...] = (), other: str = "",
    n_train: int | None = 24, n_held_out: int | None = 4, **changes: Any,
) -> PretrainingRequest:  # fmt: skip
    """A run of a tiny Transformer on a few sentences."""
    chosen: dict[str, Any] = {
        "name": f"zero {seed}", "n_steps": 6, "batch_size": 4, "seed": seed, "n_layers": 2, "d_model": 16,
        "n_heads": 2, "window": 32, "warm_up": 2,
    } | changes  # fmt: skip
    settings = PretrainingSettings(**chosen)
    request = pretraining_request(
        settings, owner, text, fixed="The cat sat on it.", prompts=prompts, other=other
    )
    return replace(request, train=request.train[:n_train], held_out=request.held_out[:n_held_out])
