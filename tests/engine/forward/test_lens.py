"""The lens column by column: what is wanted first is computed first, and once, whoever asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from playground.core.residual import Lens
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.lens import LensWork
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import Job
from playground.engine.scheduling.scheduler import Scheduler
from playground.errors import BadValue, Superseded, TooManyTokens
from playground.settings import Settings
from tests import tiny

TEXT = "The cat sat on the mat and the dog"
ALL = LensRequest(tiny.LLAMA, TEXT)
Read = list[tuple[int, ...]]


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = LocalEngine(tiny_settings)
    made.trace(TraceRequest(tiny.LLAMA, "load", Capture(logits="last")))
    yield made
    made.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The columns that were computed, job by job, two of them a job."""
    monkeypatch.setattr("playground.engine.forward.lens.CHUNK_ROWS", 8)
    found, real = Read(), LensWork._read

    def noted(work: LensWork, positions: Sequence[int]) -> list[Lens]:
        if positions:
            found.append(tuple(positions))
        return real(work, positions)

    monkeypatch.setattr(LensWork, "_read", noted)
    return found


def held(engine: LocalEngine) -> threading.Event:
    """The model thread waits until this is set."""
    go, begun = threading.Event(), threading.Event()

    class Work:
        n_forwards = 0

        def run(self) -> None:
            begun.set()
            go.wait(30)

    asked = engine._scheduler.begin("hold", "", "trace")

    class Nowhere:
        def put(self, value: object, /) -> None:
            del value

    engine._scheduler.submit(Job("trace", object(), object(), 1, Work()), asked, Nowhere())
    assert begun.wait(10)
    return go


def test_columns_come_in_the_order_in_which_they_are_wanted(engine: LocalEngine, read: Read) -> None:
    found = engine.inside.lens(replace(ALL, positions=(5, 0, 3)))
    assert found.positions == (5, 0, 3)
    assert [place for columns in read for place in columns] == [5, 0, 3]
    whole = engine.inside.lens(ALL)
    np.testing.assert_array_equal(found.top_ids, whole.top_ids[:, [5, 0, 3]])
    np.testing.assert_allclose(found.answer_probs, whole.answer_probs[:, [5, 0, 3]], atol=1e-6)
    once = [place for columns in read for place in columns]
    assert sorted(once) == sorted(set(once)), "what was known is not computed again"


def test_thirty_readers_of_one_text_are_one_computation(engine: LocalEngine, read: Read) -> None:
    """Each selects another token first, all want all; one forward, and every column once without logits."""
    n = len(engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True))
    before, go = engine.stats().n_forwards, held(engine)

    def reader(number: int) -> tuple[Lens, Lens]:
        one = replace(ALL, owner=f"reader {number}")
        first = engine.inside.lens(replace(one, positions=(number % n,)))
        return first, engine.inside.lens(replace(one, later=True))

    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(reader, number) for number in range(30)]
        go.set()
        found = [one.result(60) for one in asked]
    computed = [place for columns in read for place in columns]
    assert sorted(computed) == list(range(n))
    assert engine.stats().n_forwards == before + 1
    for number, (first, whole) in enumerate(found):
        np.testing.assert_array_equal(whole.top_ids, found[0][1].top_ids)
        np.testing.assert_array_equal(first.top_ids[:, 0], whole.top_ids[:, number % n])


def test_the_rest_of_one_reader_comes_after_the_first_columns_of_others(
    engine: LocalEngine, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[tuple[bool, int]] = []
    texts = [f"the cat number {number} sat" for number in range(6)]
    for text in texts:
        engine.trace(TraceRequest(tiny.LLAMA, text, Capture(hidden_states="all", block_outputs=True)))
    real = LensWork.run

    def run(work: LensWork) -> list[Lens]:
        order.append((work.positions == (0,), len(order)))
        return real(work)

    monkeypatch.setattr(LensWork, "run", run)
    go = held(engine)
    with ThreadPoolExecutor(12) as pool:
        asked = [
            pool.submit(
                engine.inside.lens,
                LensRequest(tiny.LLAMA, text, owner=f"a{place}", later=True, positions=(1, 2)),
            )
            for place, text in enumerate(texts)
        ]
        until(lambda: engine.stats().n_waiting == 6)
        asked += [
            pool.submit(engine.inside.lens, LensRequest(tiny.LLAMA, text, owner=f"b{place}", positions=(0,)))
            for place, text in enumerate(texts)
        ]
        until(lambda: engine.stats().n_waiting == 12)
        go.set()
        for one in asked:
            one.result(60)
    assert [is_first for is_first, _at in order] == [True] * 6 + [False] * 6


def test_what_comes_later_is_not_put_off_for_ever() -> None:
    """Once others have had so many tokens, it is their equal."""
    scheduler = Scheduler(Settings(later_tokens=100))
    asked = {owner: scheduler.begin(owner, owner, "trace") for owner in ("ann", "bob")}

    class Nowhere:
        def put(self, value: object, /) -> None:
            del value

    rest = Job("trace", "rest", object(), 10, None, later=100)
    scheduler.submit(rest, asked["ann"], Nowhere())
    served = []
    for number in range(20):
        scheduler.submit(Job("trace", number, object(), 10, None), asked["bob"], Nowhere())
        (job,) = scheduler.next_batch()
        served.append(job.key)
        if job is rest:
            break
        scheduler.charge(job, 10)
        scheduler.finish(job, None)
    assert served[:10] == list(range(10))
    assert "rest" in served[10:12]


def test_the_newer_column_of_a_reader_ends_the_rest(engine: LocalEngine, read: Read) -> None:
    go = held(engine)
    one = replace(ALL, owner="ann")
    with ThreadPoolExecutor(2) as pool:
        older = pool.submit(engine.inside.lens, replace(one, later=True, request_id="rest"))
        until(lambda: engine.stats().n_waiting == 1)
        newer = pool.submit(engine.inside.lens, replace(one, position=4, request_id="column"))
        with pytest.raises(Superseded):
            older.result(30)
        go.set()
        assert newer.result(30).positions == (4,)
    assert read == [(4,)]


def test_known_only_computes_nothing(engine: LocalEngine, read: Read) -> None:
    before = engine.stats().n_forwards
    nothing = engine.inside.lens(replace(ALL, known_only=True))
    assert nothing.positions == ()
    assert nothing.top_ids.shape == (0, 0, ALL.n_top)
    assert engine.stats().n_forwards == before
    engine.inside.lens(replace(ALL, position=2))
    assert engine.inside.lens(replace(ALL, known_only=True)).positions == (2,)
    assert engine.inside.lens(replace(ALL, known_only=True, n_top=9)).positions == (), "it has fewer tokens"
    assert engine.inside.lens(replace(ALL, known_only=True, position=2)).logits is not None
    assert read == [(2,)]


@pytest.mark.parametrize("positions", [(0, 99), (-1,), (1.0,), (True,)])
def test_positions_that_are_not_there_are_refused(engine: LocalEngine, positions: tuple[int, ...]) -> None:
    with pytest.raises(BadValue):
        engine.inside.lens(replace(ALL, positions=positions))


def test_a_few_positions_of_a_long_text_are_read_and_all_of_them_are_not(engine: LocalEngine) -> None:
    long = replace(ALL, text="the cat " * 60)
    assert engine.inside.lens(replace(long, positions=(100, 3))).positions == (100, 3)
    with pytest.raises(TooManyTokens):
        engine.inside.lens(long)


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within 10 s")
