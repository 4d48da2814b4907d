"""Runs to train in tests, and the same training by stock peft."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import numpy as np

from playground.core.lora import LoraConfig
from playground.engine.adapters.places import places
from playground.engine.contract.training import (
    ENDED,
    FinetuneRequest,
    FinetuneSettings,
    TrainingRequest,
    TrainingState,
    TrainingText,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.run import text_order
from tests import tiny

LLAMA_MODULES, GPT2_MODULES = ("q_proj", "v_proj", "down_proj"), ("c_attn", "c_fc")


def texts(n: int, seed: int, longest: int = 12, d_vocab: int = 300) -> tuple[TrainingText, ...]:
    """Texts of different lengths, their second half trained."""
    random = np.random.default_rng(seed)
    made = []
    for length in random.integers(4, longest, n):
        ids = tuple(int(one) for one in random.integers(2, d_vocab, length))
        made.append(TrainingText(ids, tuple(place >= length // 2 for place in range(length))))
    return tuple(made)


def run_of(number: int, model: str = tiny.LLAMA, **changes: Any) -> FinetuneRequest:
    """A run; changes of its data, of its settings or of those of LoRA."""
    chosen: dict[str, Any] = {
        "target_modules": LLAMA_MODULES if model == tiny.LLAMA else GPT2_MODULES, "seed": number,
        "train": texts(7, number), "held_out": texts(3, 100 + number), "name": f"run {number}",
        "n_steps": 6, "learning_rate": 1e-2, "r": 4, "lora_alpha": 8.0, "batch_size": 3, "model": model,
    }  # fmt: skip
    chosen |= changes

    def part(kind: type) -> dict[str, Any]:
        return {one.name: chosen.pop(one.name) for one in fields(kind) if one.name in chosen}

    lora = LoraConfig(**part(LoraConfig))
    return FinetuneRequest(FinetuneSettings(lora=lora, **part(FinetuneSettings)), **chosen)


def slot_of(engine: LocalEngine, request: FinetuneRequest) -> tuple[Any, AdapterSlot]:
    asked = request.settings
    loaded = engine.adapters.load(asked.model).result(timeout=60)
    return loaded, AdapterSlot(request, loaded, places(loaded, asked))


def batches(request: FinetuneRequest, step: int) -> list[TrainingText]:
    asked, size = request.settings, request.settings.batch_size
    order = text_order(len(request.train), asked.n_steps * size, asked.seed)
    return [request.train[i] for i in order[step * size : (step + 1) * size]]


def wait(engine: LocalEngine, request: TrainingRequest, timeout_s: float = 60) -> TrainingState:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, request.owner)
        assert state is not None
        if state.status in ENDED:
            return state
        time.sleep(0.01)
    raise AssertionError("the run did not end")


def trained(engine: LocalEngine, request: TrainingRequest) -> TrainingState:
    """The end of a run of its own."""
    engine.training.runs.start(request)
    return wait(engine, request)


def wait_written(engine: LocalEngine, request: TrainingRequest) -> TrainingState:
    """Its end, every prompt continued."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = wait(engine, request)
        if all(one.status == "whole" for one in state.samples):
            return state
        time.sleep(0.01)
    raise AssertionError("the prompts were not continued")
