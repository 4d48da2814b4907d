"""Models are found, made, refused and loaded as the reader is told."""

from __future__ import annotations

import pytest
import torch

from playground.engine.catalogue import catalogue
from playground.engine.loading import load, load_tokenizer, locate, model_info
from playground.settings import Settings
from tests import tiny


def silent(message: str, fraction: float) -> None: ...


@pytest.mark.parametrize("model_id", tiny.FAMILIES)
def test_each_family_loads_in_eval_mode_without_gradients(tiny_settings: Settings, model_id: str) -> None:
    loaded = load(catalogue(tiny_settings)[model_id], tiny_settings, silent)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert loaded.info.state == "ready"
