"""One real step: what it counts, what it leaves behind (nothing), and where there is no room for it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground.core.memory import METHODS, Method, budget
from playground.engine.contract.memory import MachineMemory, StepRequest
from playground.engine.local import memory as local_memory
from playground.engine.local.engine import LocalEngine
from playground.engine.training import measured_step
from playground.engine.training.allocations import Allocations, thinned
from playground.errors import NotComputed, TooLittleMemory
from tests import tiny
from tests.engine.training.test_finetuning import hash_of


def _model(engine: LocalEngine, model: str) -> Any:
    return engine.adapters.load(model).result().model


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT, tiny.MASKED])
def test_no_step_touches_the_weights(tiny_engine: LocalEngine, model: str) -> None:
    before = hash_of(_model(tiny_engine, model))
    for method in METHODS:
        tiny_engine.memory.step(StepRequest(model, method=method, length=24))
    loaded = _model(tiny_engine, model)
    assert hash_of(loaded) == before
    assert not any(one.requires_grad or one.grad is not None for one in loaded.parameters())


def test_nothing_of_a_step_stays_in_memory(tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    trees: list[weakref.ref[Any]] = []
    real = measured_step._Step._tree

    def seen(self: Any) -> Any:
        tree = real(self)
        trees.append(weakref.ref(tree))
        return tree

    monkeypatch.setattr(measured_step._Step, "_tree", seen)
    tiny_engine.memory.step(StepRequest(tiny.LLAMA, method="full", length=20))
    gc.collect()
    assert [tree() for tree in trees] == [None]


def test_allocations_are_counted_to_the_byte() -> None:
    seen = Allocations(torch.device("cpu"))
    with seen.counted():
        with seen.phase("forward"):
            kept = torch.zeros(1_000)
            torch.ones(5_000)  # let go at once
        with seen.phase("backward"):
            more = torch.ones(10_000)
            del kept
        with seen.phase("update"):
            del more
    assert seen.peak_bytes == 4 * 11_000
    assert seen.levels == {"forward": 4_000, "backward": 40_000, "update": 0}
    assert [name for name, _end in seen.phases] == ["forward", "backward", "update"]


def test_a_thinned_line_keeps_its_peak_and_its_order() -> None:
    line = [(float(at), (at * 7919) % 1000) for at in range(5_000)]
    found = thinned(line, most=100)
    assert len(found) <= 110
    assert max(n for _at, n in found) == max(n for _at, n in line)
    assert list(found) == sorted(found)


def test_a_step_without_room_is_refused_before_it_begins(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_memory, "machine_memory", lambda _device: MachineMemory(10**9, 10**6))
    with pytest.raises(TooLittleMemory) as refused:
        tiny_engine.memory.step(StepRequest(tiny.LLAMA, method="full", batch=2, length=64))
    assert refused.value.params["free_mb"] == 1
    tiny_engine.memory.step(StepRequest(tiny.LLAMA, method="head", length=4))


def test_a_step_that_fails_leaves_the_engine_as_it_was(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hash_of(_model(tiny_engine, tiny.LLAMA))

    def broken(_self: object) -> torch.Tensor:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(measured_step._Step, "_loss", broken)
        with pytest.raises(NotComputed):
            tiny_engine.memory.step(StepRequest(tiny.LLAMA, length=18))
    step = tiny_engine.memory.step(StepRequest(tiny.LLAMA, length=18))
    assert step.peak_bytes > step.weight_bytes
    assert hash_of(_model(tiny_engine, tiny.LLAMA)) == before


@pytest.mark.parametrize("method", ["full", "lora"])
def test_what_is_kept_for_the_way_back_is_predicted(tiny_engine: LocalEngine, method: Method) -> None:
    for model in (tiny.LLAMA, tiny.GPT2, tiny.BERT):
        sizes = tiny_engine.memory.sizes(model)
        step = tiny_engine.memory.step(StepRequest(model, method=method, batch=4, length=32))
        predicted = budget(sizes, method, "float32").parts["activations"].at(4, 32)
        assert predicted == pytest.approx(step.kept_bytes, rel=0.15), model
        half = tiny_engine.memory.step(StepRequest(model, method=method, batch=2, length=32))
        assert half.kept_bytes == pytest.approx(step.kept_bytes / 2, rel=0.1)


def test_a_machine_is_as_large_as_its_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(local_memory, "CGROUP", tmp_path)
    whole = local_memory.machine_memory(torch.device("cpu"))
    (tmp_path / "memory.max").write_text("max")
    assert replace(local_memory.machine_memory(torch.device("cpu")), free=0) == replace(whole, free=0)
    (tmp_path / "memory.max").write_text("2000000000")
    (tmp_path / "memory.current").write_text("500000000")
    found = local_memory.machine_memory(torch.device("cpu"))
    assert found.total == 2_000_000_000
    assert found.free <= 1_500_000_000
