"""Engines shared by the tests of one session, and the library's own model as the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from playground.engine import create_engine
from playground.engine.catalogue import catalogue, model_folder
from playground.engine.local import LocalEngine
from playground.settings import Settings


@pytest.fixture(scope="session")
def tiny_engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(tiny_settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def real_engine(real_settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(real_settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


@lru_cache(maxsize=8)
def _eager(folder: Path, kind: str) -> Any:
    auto = {"decoder": AutoModelForCausalLM, "encoder": AutoModel, "encoder-decoder": AutoModelForSeq2SeqLM}
    return auto[kind].from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def oracle(settings: Settings, model_id: str) -> Any:
    """The same weights read by plain transformers with eager attention."""
    return _eager(model_folder(model_id, settings), catalogue(settings)[model_id].kind)
