"""Adapters of the other kinds with random numbers, and peft's models with the same."""

from __future__ import annotations

import copy
from typing import Any

import peft
import torch

from playground.core.lora import LoraConfig
from playground.engine.adapters.adapter import Adapter
from playground.engine.adapters.layers import Change
from playground.engine.adapters.places import places, shapes
from playground.engine.adapters.virtual import PROMPT
from playground.engine.contract.adapters import Method
from playground.engine.contract.training import FinetuneSettings
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from tests.engine.conftest import oracle


def made(
    engine: LocalEngine, model: str, method: Method, owner: str = "me", *, n: int = 4, seed: int = 0
) -> str:
    """Id of an adapter whose numbers are drawn."""
    loaded = engine.adapters.load(model).result(timeout=300)
    lora = LoraConfig(r=n, target_modules=("q_proj", "v_proj"))
    settings = FinetuneSettings(model, method, lora=lora, method=method, num_virtual_tokens=n, bottleneck=n)
    random, changes = torch.Generator().manual_seed(seed), dict[str, dict[str, torch.Tensor]]()
    for (path, matrix), shape in shapes(places(loaded, settings), settings).items():
        changes.setdefault(path, {})[matrix] = torch.randn(shape, generator=random) * (
            0.1 if method == "bottleneck" else 0.5
        )
    learned = {path: Change(one.get("A"), one["B"]) for path, one in changes.items()}
    adapter = Adapter(model, method, 3, lora, method, learned, settings)
    return engine.adapters.add(adapter, owner)


def matrix_of(engine: LocalEngine, model_id: str) -> torch.Tensor:
    """The numbers of a soft prompt or a prefix as peft keeps them."""
    changes = engine.adapters.get(model_id).changes
    if PROMPT in changes:
        return changes[PROMPT].B
    return torch.cat([part for one in changes.values() for part in (one.A, one.B) if part is not None], dim=1)


def by_peft(settings: Settings, engine: LocalEngine, model_id: str) -> Any:
    """peft's own model with the same numbers."""
    adapter = engine.adapters.get(model_id)
    kind = peft.PromptTuningConfig if adapter.method == "prompt" else peft.PrefixTuningConfig
    config = kind(task_type="CAUSAL_LM", num_virtual_tokens=adapter.num_virtual_tokens)
    model = peft.get_peft_model(copy.deepcopy(oracle(settings, adapter.base_id)), config).eval()
    with torch.no_grad():
        model.prompt_encoder["default"].embedding.weight.copy_(matrix_of(engine, model_id))
    return model
