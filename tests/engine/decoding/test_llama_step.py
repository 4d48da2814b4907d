"""The lean decode step is the library's forward; operations a step are counted, not timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from playground.engine.contract.generation import GenerateRequest
from playground.engine.decoding.batch import DecodeBatch
from playground.engine.decoding.products import Products, Way, by_torch
from playground.engine.decoding.row import DecodeRow
from playground.engine.local.engine import LocalEngine
from playground.settings import DEFAULT_DECODER
from tests import tiny

PROMPTS = ((5, 6, 7, 8, 9), (10, 11), (12, 13, 14, 15, 16, 17, 18, 19))


class CountOperations(TorchDispatchMode):
    """How many operations are dispatched inside."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def batch(
    engine: LocalEngine,
    model: str,
    prompts: tuple[tuple[int, ...], ...],
    ways: Mapping[str, Way] | None = None,
) -> DecodeBatch:
    loaded = engine._table.load(model).result(timeout=180)
    made = DecodeBatch(loaded, chunk_tokens=3, products=Products(engine._settings, ways))
    rows = [
        DecodeRow(GenerateRequest(model, seed=seed, max_new_tokens=60), ids, lambda step: None, made.loaded)
        for seed, ids in enumerate(prompts)
    ]
    made.admit(rows)
    while made.is_reading:
        made.read()
    return made


@pytest.mark.parametrize("model", [tiny.LLAMA, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real)])
@pytest.mark.parametrize("prompts", [PROMPTS * 3, PROMPTS, PROMPTS[:1]])
@torch.no_grad()
def test_lean_step_equals_the_librarys_forward(
    request: pytest.FixtureRequest, model: str, prompts: tuple[tuple[int, ...], ...]
) -> None:
    engine = request.getfixturevalue("tiny_engine" if model == tiny.LLAMA else "real_engine")
    lean, plain = batch(engine, model, prompts), batch(engine, model, prompts)
    plain._lean = None
    assert lean._lean is not None
    for _ in range(4):
        ids = torch.tensor([[row.new_ids[-1]] for row in lean.rows])
        expected = plain._step_states(ids)
        torch.testing.assert_close(lean._step_states(ids), expected, atol=1e-4, rtol=1e-4)
        for each in (lean, plain):
            each._cache.advance()


def test_other_families_use_the_librarys_forward(tiny_engine: LocalEngine) -> None:
    assert batch(tiny_engine, tiny.GPT2, PROMPTS[:1])._lean is None


@pytest.mark.real
@torch.no_grad()
def test_operations_of_a_decode_step_are_bounded(real_engine: LocalEngine) -> None:
    """Also that they do not grow with the rows: nine rows cost what six do, in one way of multiplying."""
    counts = []
    for prompts in (PROMPTS, PROMPTS * 2, PROMPTS * 3):
        rows = batch(real_engine, DEFAULT_DECODER, prompts, {"torch": by_torch})
        ids = torch.tensor([[row.new_ids[-1]] for row in rows.rows])
        with CountOperations() as operations:
            rows._step_states(ids)
        counts.append(operations.count)
    assert counts[1] == counts[2]
    assert max(counts) <= 1_500
