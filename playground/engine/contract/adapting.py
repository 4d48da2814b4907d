"""The runs that compare the ways to adapt: one request a way, on the same rows in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.adapting import BATCH_SIZE, N_STEPS, RATES, SEED
from playground.core.lora import LoraConfig
from playground.engine.contract.adapters import Method
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText


def way_settings(
    model: str, method: Method, size: int, modules: Sequence[str], *, name: str = "", n_steps: int = N_STEPS
) -> FinetuneSettings:
    """Settings of one way.

    Args:
        model: Catalogue id of the decoder.
        method: The way.
        size: Rank, width or virtual positions.
        modules: Layers that LoRA corrects.
        name: Name of the run for the reader.
        n_steps: Steps.
    """
    return FinetuneSettings(
        model, name or method, n_steps, RATES[method], BATCH_SIZE, SEED,
        lora=LoraConfig(max(1, size), 2.0 * max(1, size), 0.0, tuple(modules)),
        method=method, num_virtual_tokens=max(1, size), bottleneck=max(1, size),
    )  # fmt: skip


def way_run(
    settings: FinetuneSettings, train: Sequence[TrainingText], held_out: Sequence[TrainingText], owner: str
) -> FinetuneRequest:
    """The request of such a run, which continues nothing and tests nothing but held-out rows."""
    return FinetuneRequest(settings, tuple(train), tuple(held_out), owner=owner)
