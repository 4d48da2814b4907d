"""An error at any place where the engine thread touches a request ends that request, at once, and no other.

Five requests are cursed, each with an error of another kind; seven others share their batches. Every place is
also made to fail for whoever passes it: then some get an error of ours, the others what they get alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from playground.engine.contract.generation import GenerateRequest
from playground.engine.decoding import batch as decoding
from playground.engine.decoding.batch import DecodeBatch, DecodeRow
from playground.engine.decoding.slots import SlotCache, SlotLayer
from playground.engine.local import model_thread as worker
from playground.engine.local.model_thread import ModelThread
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import _Row
from playground.errors import (
    NotComputed,
    OutOfMemory,
)
from tests.engine.local.faulty import (
    ERRORS,
    TOLD,
    Bench,
    Place,
    failing,
    is_empty,
    job_curse,
    named,
)


def curse_of(row: DecodeRow | None) -> Exception | None:
    """The error of this row; None for the others, and once it is finished."""
    seed = -1 if row is None or row.finished else row.request.seed
    return ERRORS[seed - 1000] if seed >= 1000 else None


def curse_among(rows: Sequence[DecodeRow]) -> Exception | None:
    return next((error for row in rows if (error := curse_of(row)) is not None), None)


def request_curse(request: GenerateRequest) -> Exception | None:
    return ERRORS[request.seed - 1000] if request.seed >= 1000 else None


DECODING: tuple[Place, ...] = (
    (DecodeRow, "__init__", lambda _bench, _row, request, *_rest: request_curse(request)),
    (decoding, "pad", lambda bench, *_args: curse_among(bench.touched)),
    (decoding, "DynamicCache", lambda bench, *_args, **_more: curse_among(bench.touched)),
    (DecodeBatch, "admit", lambda _bench, _batch, rows: curse_among(rows)),
    (DecodeBatch, "read", lambda _bench, batch: curse_among(batch._prefill.rows)),
    (DecodeBatch, "step", lambda _bench, batch: curse_among(batch.rows)),
    (DecodeBatch, "_join", lambda _bench, _batch, prefill: curse_among(prefill.rows)),
    (DecodeBatch, "_take", lambda _bench, _batch, rows, _states: curse_among(rows)),
    (DecodeBatch, "_step_states", lambda _bench, batch, _ids: curse_among(batch.rows)),
    (DecodeRow, "take", lambda _bench, row, *_args: curse_of(row)),
    (DecodeRow, "_text", lambda _bench, row, *_args, **_more: curse_of(row)),
    (decoding, "summarise", lambda bench, *_args: curse_among(bench.touched)),
    (decoding, "penalised", lambda bench, *_args, **_more: curse_among(bench.touched)),
    (SlotCache, "join", lambda bench, *_args: curse_among(bench.touched)),
    (SlotLayer, "allocate", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "prepare_step", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "advance", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "leave", lambda bench, *_args: curse_among(bench.touched)),
    (Scheduler, "charge", lambda _bench, _scheduler, job, _tokens: job_curse(job)),
    (Scheduler, "send", lambda _bench, _scheduler, job, _value: job_curse(job)),
)


SHARED: tuple[Place, ...] = (  # places that know of no single request
    (DecodeBatch, "__init__", lambda *_args: None),
    (DecodeBatch, "sweep", lambda *_args: None),
    (worker, "can_mix", lambda *_args: None),
    (ModelThread, "_admit", lambda *_args: None),
    (ModelThread, "_receiver", lambda *_args: None),
    (ModelThread, "_emit", lambda *_args: None),
    (Scheduler, "wanted", lambda *_args: None),
    (Scheduler, "next_rows", lambda *_args: None),
    (Scheduler, "_gather", lambda *_args: None),
    (Scheduler, "_start", lambda *_args: None),
    (Scheduler, "finish", lambda *_args: None),
    (_Row, "put", lambda *_args: None),
)


@pytest.mark.parametrize("place", DECODING, ids=named)
def test_an_error_of_one_generation_ends_it_at_once_and_no_other(
    bench: Bench, expected: list[list[int]], place: Place
) -> None:
    requests = [*bench.generations(), *bench.cursed()]
    requests = [requests[i] for i in np.random.default_rng(len(place[1])).permutation(len(requests))]
    with failing(place, lambda *args, **more: place[2](bench, *args, **more)):
        found = bench.all_at_once(bench.written, requests)
    for request, answer in zip(requests, found, strict=True):
        if request.seed < 1000:
            assert answer == expected[request.seed], named(place)
        elif place[1] == "leave":
            assert len(answer) <= 8, "it has been told everything when it leaves"
        else:
            assert isinstance(answer, TOLD[request.seed - 1000]), (named(place), answer)
    assert is_empty(bench.engine)


@pytest.mark.parametrize("n_before", [0, 2])
@pytest.mark.parametrize("place", [*DECODING, *SHARED], ids=named)
def test_an_error_at_any_moment_hangs_nobody_and_spoils_no_text(
    bench: Bench, expected: list[list[int]], place: Place, n_before: int
) -> None:
    """The place fails three times in a row, after so many calls, for whoever passes it."""
    calls = iter([*[None] * n_before, *ERRORS[:3]])
    requests = bench.generations()
    with failing(place, lambda *_args, **_more: next(calls, None)):
        found = bench.all_at_once(bench.written, requests)
        for answer, tokens in zip(found, expected, strict=True):
            if isinstance(answer, Exception):
                assert isinstance(answer, NotComputed | OutOfMemory), (named(place), answer)
            else:
                assert answer == tokens, named(place)
    assert sum(isinstance(answer, Exception) for answer in found) <= 3 or place in SHARED, named(place)
    assert is_empty(bench.engine)
    assert bench.written(requests[0]) == expected[0], "and it goes on as before"
<<<<<<< HEAD


Forward = tuple[str, Any]  # the engine's method, its request
FORWARDS: tuple[Forward, ...] = (
    ("trace", TraceRequest(tiny.LLAMA, "the cat sat", Capture(logits="last", attentions="uint8"))),
    ("trace", TraceRequest(tiny.LLAMA, "the dog sat", Capture(logits="last", attentions="uint8"))),
    ("inside.lens", LensRequest(tiny.LLAMA, "the cat sat on", n_top=3)),
    ("inside.ablations", AblationsRequest(tiny.LLAMA, "the mat")),
    ("beams", BeamsRequest(tiny.LLAMA, "the capital", n_beams=2, max_new_tokens=4)),
    ("vectors.traces", TracesRequest(tiny.LLAMA, ("the cat", "0 1 2", "a"), (1,))),
    ("score", ScoreRequest(tiny.LLAMA, ("the cat",), ((" sat", " on"),))),
)


def numbers(bench: Bench, asked: Forward) -> list[Any]:
    """What a forward of any kind gives, as plain numbers."""
    name, request = asked
    found = attrgetter(name)(bench.engine)(replace(request, model=bench.model, timeout_s=TIMEOUT_S))
    if name == "trace":
        return [found.logits, found.attentions]
    if name == "inside.lens":
        return [found.top_ids, found.top_probs]
    made = list(found)
    if name == "inside.ablations":
        return [one.logits for one in made]
    if name == "beams":
        return [[(c.token_id, c.logprob) for c in step.candidates] for step in made]
    if name == "vectors.traces":
        return [trace.hidden_states for _place, trace in sorted(made, key=lambda one: one[0])]
    return [scores.logprobs for _place, scores in made]


def same(found: object, wanted: list[Any]) -> bool:
    return isinstance(found, list) and all(
        np.allclose(one, other, rtol=0, atol=1e-4) for one, other in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module")
def wanted(benches: Bench) -> list[list[Any]]:
    """What the forwards give, one after another."""
    return [numbers(benches, asked) for asked in FORWARDS]


WORK: tuple[Place, ...] = (
    (ModelThread, "_compute", lambda _thread, jobs: next(filter(None, map(job_curse, jobs)), None)),
    (ModelThread, "_hand_out", lambda _thread, job, _result: job_curse(job)),
    (Scheduler, "charge", lambda _scheduler, job, _tokens: job_curse(job)),
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
        {"max_new_tokens": 3.0}, {"n_top": 8.0}, {"n_top": None}, {"sampling": Sampling(temperature="hot")},
        {"sampling": Sampling(top_p=None)}, {"written": (1.0,)}, {"input_ids": (1.0, 2)},
        {"input_ids": ("a",)}, {"seed": True}, {"sampling": Sampling(temperature=True)},
        {"input_ids": (True, 2)}, {"written": (False,)}, {"seed": -(10**400)},
        {"sampling": Sampling(top_p=-0.0)}, {"penalties": Penalties(presence_penalty="1")},
        {"stop": "abc"}, {"stop": (1,)}, {"stop": None},
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
||||||| 9631e2d


Forward = tuple[str, Any]  # the engine's method, its request
FORWARDS: tuple[Forward, ...] = (
    ("trace", TraceRequest(tiny.LLAMA, "the cat sat", Capture(logits="last", attentions="uint8"))),
    ("trace", TraceRequest(tiny.LLAMA, "the dog sat", Capture(logits="last", attentions="uint8"))),
    ("inside.lens", LensRequest(tiny.LLAMA, "the cat sat on", n_top=3)),
    ("inside.ablations", AblationsRequest(tiny.LLAMA, "the mat")),
    ("beams", BeamsRequest(tiny.LLAMA, "the capital", n_beams=2, max_new_tokens=4)),
    ("vectors.traces", TracesRequest(tiny.LLAMA, ("the cat", "0 1 2", "a"), (1,))),
    ("score", ScoreRequest(tiny.LLAMA, ("the cat",), ((" sat", " on"),))),
)


def numbers(bench: Bench, asked: Forward) -> list[Any]:
    """What a forward of any kind gives, as plain numbers."""
    name, request = asked
    found = attrgetter(name)(bench.engine)(replace(request, model=bench.model, timeout_s=TIMEOUT_S))
    if name == "trace":
        return [found.logits, found.attentions]
    if name == "inside.lens":
        return [found.top_ids, found.top_probs]
    made = list(found)
    if name == "inside.ablations":
        return [one.logits for one in made]
    if name == "beams":
        return [[(c.token_id, c.logprob) for c in step.candidates] for step in made]
    if name == "vectors.traces":
        return [trace.hidden_states for _place, trace in sorted(made, key=lambda one: one[0])]
    return [scores.logprobs for _place, scores in made]


def same(found: object, wanted: list[Any]) -> bool:
    return isinstance(found, list) and all(
        np.allclose(one, other, rtol=0, atol=1e-4) for one, other in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module")
def wanted(benches: Bench) -> list[list[Any]]:
    """What the forwards give, one after another."""
    return [numbers(benches, asked) for asked in FORWARDS]


WORK: tuple[Place, ...] = (
    (ModelThread, "_compute", lambda _thread, jobs: next(filter(None, map(job_curse, jobs)), None)),
    (ModelThread, "_hand_out", lambda _thread, job, _result: job_curse(job)),
    (Scheduler, "charge", lambda _scheduler, job, _tokens: job_curse(job)),
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
=======
>>>>>>> h-tests
