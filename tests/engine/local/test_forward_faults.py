"""An error in a forward pass ends the requests that asked for it, at once, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.byte_cache import ByteCache
from playground.core.sampling import Sampling
from playground.engine.adapters.layers import Adapted
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.decoding.row import DecodeRow
from playground.engine.forward.lens import LensWork
from playground.engine.forward.predictions import summarise
from playground.engine.local import model_thread as worker
from playground.engine.local.model_thread import ModelThread
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import _Row
from playground.errors import (
    BadValue,
    NotComputed,
    NotFinite,
    OutOfMemory,
)
from tests import tiny
from tests.engine.local.faulty import (
    ERRORS,
    FORWARDS,
    TOLD,
    Bench,
    Place,
    failing,
    is_empty,
    job_curse,
    named,
    numbers,
)


def same(found: object, wanted: list[Any]) -> bool:
    return isinstance(found, list) and all(
        np.allclose(one, other, rtol=0, atol=1e-4) for one, other in zip(found, wanted, strict=True)
    )


WORK: tuple[Place, ...] = (
    (ModelThread, "_compute", lambda _thread, jobs: next(filter(None, map(job_curse, jobs)), None)),
    (ModelThread, "_hand_out", lambda _thread, job, *_result: job_curse(job)),
    (Scheduler, "charge", lambda _scheduler, job, *_tokens: job_curse(job)),
)


AROUND: tuple[Place, ...] = (
    (worker, "run_traces", lambda *_args: None),
    (ByteCache, "put", lambda *_args: None),
    (LensWork, "run", lambda *_args: None),
    (_Row, "put", lambda *_args: None),
)


BETWEEN: tuple[Place, ...] = (  # an error here is that of a whole batch, or of all that wait
    (Scheduler, "finish", lambda *_args: None),
    (Scheduler, "wanted", lambda *_args: None),
    (Scheduler, "_gather", lambda *_args: None),
)


@pytest.mark.parametrize("place", WORK, ids=named)
@pytest.mark.parametrize("cursed", range(len(FORWARDS)))
def test_an_error_of_one_forward_ends_it_at_once_and_no_other(
    bench: Bench, wanted: list[list[Any]], place: Place, cursed: int
) -> None:
    number = cursed % len(ERRORS)
    asked = [
        (name, replace(request, owner=f"cursed {number}" if place_of == cursed else f"other {place_of}"))
        for place_of, (name, request) in enumerate(FORWARDS)
    ]
    with failing(place, place[2]):
        found = bench.all_at_once(lambda one: numbers(bench, one), asked)
    for place_of, answer in enumerate(found):
        if place_of == cursed:
            assert isinstance(answer, TOLD[number]), answer
        else:
            assert same(answer, wanted[place_of]), (FORWARDS[place_of], answer)
    assert is_empty(bench.engine)


@pytest.mark.parametrize("place", [*WORK, *AROUND, *BETWEEN], ids=named)
def test_an_error_at_any_moment_hangs_no_forward_and_spoils_none(
    bench: Bench, wanted: list[list[Any]], place: Place
) -> None:
    calls = iter(ERRORS[:2])
    with failing(place, lambda *_args, **_more: next(calls, None)):
        found = bench.all_at_once(lambda one: numbers(bench, one), FORWARDS)
    for answer, right in zip(found, wanted, strict=True):
        told = isinstance(answer, NotComputed | OutOfMemory)
        assert told or same(answer, right), (named(place), answer)
    assert sum(isinstance(answer, Exception) for answer in found) <= 2 or place in BETWEEN, named(place)
    assert is_empty(bench.engine)
    assert same(numbers(bench, FORWARDS[0]), wanted[0]), "and it goes on as before"


def test_an_adapter_that_fails_ends_its_own_rows_only(bench: Bench, expected: list[list[int]]) -> None:
    """Rows with and without an adapter share the steps of a Llama; the others have a batch a model."""
    model = bench.engine.adapters.load(bench.adapter).result()
    adapted = next(module for module in model.model.modules() if isinstance(module, Adapted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapted, "added", lambda _x: (_ for _ in ()).throw(RuntimeError("it broke")))
        found = bench.all_at_once(bench.written, bench.generations())
    for number, answer in enumerate(found):
        assert isinstance(answer, NotComputed) if number in (2, 5) else answer == expected[number]


def test_logits_that_are_no_numbers_are_a_sentence(bench: Bench) -> None:
    loaded = bench.engine._table.load(tiny.LLAMA).result()
    logits = np.zeros((1, loaded.info.d_vocab), np.float32)
    for bad in (np.nan, np.inf):
        logits[0, 3] = bad
        row = DecodeRow(GenerateRequest(tiny.LLAMA, "a"), (5,), lambda step: None, loaded)
        with pytest.raises(NotFinite, match="not numbers"):
            row.take(logits[0], summarise(torch.from_numpy(logits), 8), 0)
        assert row.n_steps == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_drawn": 1.0}, {"seed": 1.5}, {"seed": "1"}, {"sampling": Sampling(top_k=2.0)},
        {"max_new_tokens": 3.0}, {"n_top": 8.0}, {"n_top": None},
        {"sampling": Sampling(temperature="hot")}, {"sampling": Sampling(top_p=None)},
        {"written": (1.0,)}, {"input_ids": (1.0, 2)}, {"input_ids": ("a",)}, {"seed": True},
        {"sampling": Sampling(temperature=True)}, {"input_ids": (True, 2)}, {"written": (False,)},
        {"seed": -(10**400)}, {"sampling": Sampling(top_p=-0.0)},
    ],
)  # fmt: skip
def test_settings_of_another_type_are_refused_before_they_are_queued(
    bench: Bench, wrong: dict[str, Any]
) -> None:
    before = bench.engine.stats()
    with pytest.raises(BadValue):
        bench.written(replace(GenerateRequest(bench.model, "the cat"), **wrong))
    assert bench.engine.stats().n_forwards == before.n_forwards


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("trace", TraceRequest(tiny.LLAMA, "a b", Capture(hidden_states=(1.0,)))),  # type: ignore[arg-type]
        ("trace", TraceRequest(tiny.LLAMA, "a b", Capture(hidden_states="some"))),  # type: ignore[arg-type]
        ("trace", TraceRequest(tiny.LLAMA, "a b", Capture(attentions="float16"))),  # type: ignore[arg-type]
        ("trace", TraceRequest(tiny.LLAMA, "a b", Capture(attentions="uint8", window=(0.0, 1.0)))),  # type: ignore[arg-type]
        ("trace", TraceRequest(tiny.LLAMA, input_ids=(1, 2), position_ids=(0.5, 1.0))),  # type: ignore[arg-type]
        ("trace", TraceRequest(tiny.LLAMA, "a b", Capture(predictions=2.0))),  # type: ignore[arg-type]
        ("inside.lens", LensRequest(tiny.LLAMA, "a b", position=1.0)),  # type: ignore[arg-type]
        ("inside.lens", LensRequest(tiny.LLAMA, "a b", position=True)),
        ("inside.lens", LensRequest(tiny.LLAMA, "a b", n_top=2.0)),  # type: ignore[arg-type]
        ("beams", BeamsRequest(tiny.LLAMA, "a b", n_beams=2.0)),  # type: ignore[arg-type]
        ("beams", BeamsRequest(tiny.LLAMA, "a b", max_new_tokens=2.5)),  # type: ignore[arg-type]
        ("score", ScoreRequest(tiny.LLAMA, ("a", "b"), ((" c",),))),
        ("score", ScoreRequest(tiny.LLAMA, ((1.0, 2.0),), ((" c",),))),  # type: ignore[arg-type]
    ],
)
def test_forwards_of_another_type_are_refused_before_they_are_queued(
    bench: Bench, name: str, request_: Any
) -> None:
    before = bench.engine.stats()
    with pytest.raises(BadValue):
        numbers(bench, (name, request_))
    assert bench.engine.stats().n_forwards == before.n_forwards
