"""Short runs of task heads on the tiny encoder."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from playground.engine.contract.task_heads import HeadExample, HeadRequest, HeadSettings, HeadTask
from tests import tiny


def examples(n: int, seed: int, task: HeadTask = "label", n_labels: int = 3) -> tuple[HeadExample, ...]:
    """Texts of different lengths with drawn answers."""
    random = np.random.default_rng(seed)
    made = []
    for i, length in enumerate(random.integers(4, 12, n)):
        ids = tuple(int(one) for one in random.integers(5, 170, length))
        places = (1, 3) if task == "words" else ()
        targets = tuple(float(random.integers(n_labels)) for _ in places or (0,))
        if task == "number":
            targets = (float(random.normal()) + 2,)
        elif i < n_labels:  # every label occurs
            targets = (float(i), *targets[1:])
        made.append(HeadExample((f"text {seed}.{i}",), ids, targets, places=places))
    return tuple(made)


def head_run(seed: int, owner: str = "me", task: HeadTask = "label", **changes: Any) -> HeadRequest:
    """A run; changes of its settings or of its data."""
    objective = changes.get("objective", "head")
    chosen: dict[str, Any] = {
        "model": tiny.BERT, "name": f"head {seed}", "n_steps": 6, "batch_size": 3, "seed": seed,
        "learning_rate": 1e-3 if objective == "encoder" else 1e-2, "task": task,
        "labels": () if task == "number" else ("a", "b", "c"),
        "train": examples(7, seed, task), "held_out": examples(4, 100 + seed, task),
    } | changes  # fmt: skip
    names = {one.name for one in fields(HeadSettings)}
    settings = HeadSettings(**{name: chosen.pop(name) for name in names & chosen.keys()})
    return HeadRequest(settings, owner=owner, **chosen)
