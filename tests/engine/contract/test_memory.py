"""Memory through the contract: sizes counted, a real step and a real cache measured, rows of weights."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from playground.core.memory import METHODS, Method, budget, cache_bytes
from playground.engine.contract.engine import Engine
from playground.engine.contract.memory import CacheRequest, StepRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import BadValue, TooLittleMemory, Unsupported
from tests import tiny

MODELS = (tiny.LLAMA, tiny.GPT2, tiny.BERT, tiny.MASKED)
STATES, PEAK = 0.05, 0.25


@pytest.mark.parametrize("model", [*MODELS, tiny.T5])
def test_sizes_count_every_parameter(engine: Engine, model: str) -> None:
    sizes = engine.memory.sizes(model)
    info = next(one for one in engine.models() if one.model_id == model)
    parts = engine.inside.parts(model)
    assert sizes.n_parameters == sum(part.n_parameters for part in parts) == info.n_parameters
    assert sizes.weight_bytes == sizes.n_parameters * sizes.number_bytes
    assert (sizes.n_layer, sizes.d_model, sizes.d_vocab) == (info.n_layer, info.d_model, info.d_vocab)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", MODELS)
def test_a_real_step_takes_what_was_predicted(engine: Engine, model: str, method: Method) -> None:
    sizes, request = engine.memory.sizes(model), StepRequest(model, method=method, batch=3, length=40)
    step, found = engine.memory.step(request), budget(sizes, method, "float32", request.rank)
    parts = {name: part.at(3, 40) for name, part in found.parts.items()}
    assert step.n_trained == found.n_trained
    assert parts["weights"] == pytest.approx(step.weight_bytes, rel=STATES)
    assert parts["gradients"] == pytest.approx(step.gradient_bytes, rel=STATES)
    assert parts["optimizer"] == pytest.approx(step.optimizer_bytes, rel=STATES)
    assert found.peak(3, 40) == pytest.approx(step.peak_bytes, rel=PEAK)
    assert step.cache_bytes == (parts["cache"] if method == "inference" else 0)
    names = [name for name, _end in step.phases]
    assert names == (["forward"] if method == "inference" else ["forward", "backward", "update"])
    assert max(n_bytes for _at, n_bytes in step.line) == step.peak_bytes
    assert step.peak_bytes >= step.weight_bytes + step.optimizer_bytes


def test_a_step_leaves_the_model_as_it_was(engine: Engine) -> None:
    request = TraceRequest(tiny.LLAMA, "the dog sat", Capture(logits="all"))
    before, row = engine.trace(request).logits, engine.memory.row(tiny.LLAMA, _embedding(engine), 3).values
    for method in METHODS:
        engine.memory.step(StepRequest(tiny.LLAMA, method=method, length=16))
    np.testing.assert_array_equal(engine.memory.row(tiny.LLAMA, _embedding(engine), 3).values, row)
    after = engine.trace(TraceRequest(tiny.LLAMA, "the dog sat", Capture(logits="all", hidden_states="all")))
    np.testing.assert_allclose(after.logits, before, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": 0}, {"length": 1}, {"length": 10**9}, {"batch": 200, "length": 100}, {"rank": 0},
        {"rank": 10**6}, {"method": "magic"}, {"batch": float("nan")}, {"batch": True},
    ],
)  # fmt: skip
def test_steps_that_cannot_be_are_refused_with_their_value(
    engine: Engine, changes: dict[str, object]
) -> None:
    with pytest.raises(BadValue) as refused:
        engine.memory.step(StepRequest(tiny.LLAMA, **changes))  # type: ignore[arg-type]
    assert refused.value.params["allowed"]


def test_two_stacks_are_not_measured_and_encoders_keep_no_cache(engine: Engine) -> None:
    with pytest.raises(Unsupported):
        engine.memory.step(StepRequest(tiny.T5))
    for model in (tiny.T5, tiny.BERT):
        with pytest.raises(Unsupported):
            list(engine.memory.caches(CacheRequest(model, lengths=(8,))))


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_a_real_cache_has_the_bytes_of_the_formula(engine: Engine, model: str) -> None:
    token = cache_bytes(engine.memory.sizes(model), 4)
    found = list(engine.memory.caches(CacheRequest(model, lengths=(3, 16, 64))))
    assert [(one.length, one.n_bytes) for one in found] == [(n, n * token) for n in (3, 16, 64)]


@pytest.mark.parametrize("lengths", [(), (8, 8), (9, 3), (0,), (10**9,), (4, -1)])
def test_lengths_that_cannot_be_are_refused(engine: Engine, lengths: tuple[int, ...]) -> None:
    with pytest.raises(BadValue):
        list(engine.memory.caches(CacheRequest(tiny.LLAMA, lengths=lengths)))


def test_a_row_is_that_of_the_embedding_table(engine: Engine) -> None:
    table, name = engine.vectors.embedding_table(tiny.LLAMA).vectors, _embedding(engine)
    row = engine.memory.row(tiny.LLAMA, name, 7)
    np.testing.assert_array_equal(row.values, table[7])
    assert row.shape == table.shape
    assert row.largest == pytest.approx(float(np.abs(table).max()))
    for tensor, number in (("no.such", 0), (name, -1), (name, len(table)), (name, 1.5)):
        with pytest.raises(BadValue):
            engine.memory.row(tiny.LLAMA, tensor, number)  # type: ignore[arg-type]


def test_the_machine_has_memory(engine: Engine) -> None:
    machine = engine.memory.machine()
    assert 0 < machine.free <= machine.total
    assert machine.device_total == 0


def test_the_refusal_for_want_of_room_can_be_sent() -> None:
    error = TooLittleMemory(needed_mb=2_300, free_mb=900)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert "2,300 MB" in str(error)


def _embedding(engine: Engine) -> str:
    part = next(one for one in engine.inside.parts(tiny.LLAMA) if one.kind == "embedding")
    return part.tensors[0][0]
