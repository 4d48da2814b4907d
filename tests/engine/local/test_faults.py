"""An error at any place where the engine thread touches a request ends that request, at once, and no other.

Six requests are cursed, each with an error of another kind; seven others share their batches. Every place is
also made to fail for whoever passes it: then some get an error of ours, the others what they get alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from playground.engine.contract.generation import GenerateRequest
from playground.engine.decoding import batch as decoding
from playground.engine.decoding import row as row_module
from playground.engine.decoding.batch import DecodeBatch
from playground.engine.decoding.row import DecodeRow
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


def curse_of(row: DecodeRow | None) -> BaseException | None:
    """The error of this row; None for the others, and once it is finished."""
    seed = -1 if row is None or row.finished else row.request.seed
    return ERRORS[seed - 1000] if seed >= 1000 else None


def curse_among(rows: Sequence[DecodeRow]) -> BaseException | None:
    return next((error for row in rows if (error := curse_of(row)) is not None), None)


def request_curse(request: GenerateRequest) -> BaseException | None:
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
    (row_module, "penalised", lambda bench, *_args, **_more: curse_among(bench.touched)),
    (SlotCache, "join", lambda bench, *_args: curse_among(bench.touched)),
    (SlotLayer, "allocate", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "prepare_step", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "advance", lambda bench, *_args: curse_among(bench.touched)),
    (SlotCache, "leave", lambda bench, *_args: curse_among(bench.touched)),
    (Scheduler, "charge", lambda _bench, _scheduler, job, *_tokens: job_curse(job)),
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
