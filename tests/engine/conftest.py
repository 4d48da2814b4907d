"""Engines shared by the tests of one session, and the library's own model as the oracle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from playground.engine import create_engine
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.remote.engine import RayEngine
from playground.settings import Settings


@pytest.fixture(scope="session")
def tiny_engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(tiny_settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def ray_engine(tiny_settings: Settings) -> Iterator[RayEngine]:
    """Two replicas with the same models, on a head of their own: one for all tests."""
    more = {
        "engine": "ray",
        "replicas": 2,
        "object_store_bytes": 128 * 2**20,
        "max_training_steps": 10_000,  # long enough to be killed in the middle
    }
    engine = create_engine(tiny_settings.model_copy(update=more))
    assert isinstance(engine, RayEngine)
    until = time.monotonic() + 300
    while not all(seat.is_here for seat in engine._seats.all):  # one that comes late would count its warm-up
        assert time.monotonic() < until
        time.sleep(0.05)
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


def same_to_rounding(actual: ArrayLike, desired: ArrayLike, name: str = "") -> None:
    """Equal to 1e-5 of the largest number: how a product is summed differs by CPU and batch."""
    largest = float(np.abs(np.asarray(desired)).max(initial=1))
    np.testing.assert_allclose(actual, desired, rtol=0, atol=1e-5 * largest, err_msg=name)


def oracle(settings: Settings, model_id: str) -> Any:
    """The same weights read by plain transformers with eager attention."""
    return _eager(model_folder(model_id, settings), catalogue(settings)[model_id].kind)
