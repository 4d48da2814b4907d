"""Jobs of several turns go on by themselves: a reader who draws slowly, or pauses, keeps nobody waiting."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playground.engine import create_engine
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.decoding.beam_search import BeamsWork
from playground.engine.forward.scoring import ScoringWork
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import Job, More
from playground.engine.scheduling.scheduler import Scheduler
from playground.settings import Settings
from tests import tiny
from tests.engine.local.test_cancelling import until

N_KEPT, N_READERS = 2, 30
LABELS = (" good", " bad")


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    """Room for two; trees of a few pieces each."""
    few = {"max_kept_caches": N_KEPT, "prefill_chunk_tokens": 16, "request_timeout_s": 20.0}
    made = create_engine(tiny_settings.model_copy(update=few))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def search(number: int) -> BeamsRequest:
    return BeamsRequest(tiny.LLAMA, f"search number {number}", n_beams=2, max_new_tokens=6)


def scoring(number: int) -> ScoreRequest:
    """Texts that share nothing: several pieces."""
    texts = tuple(f"{number} {place} is the place of the cat, the dog and the mat" for place in range(8))
    return ScoreRequest(tiny.LLAMA, texts, (LABELS,) * len(texts))


def ask(engine: LocalEngine, request: BeamsRequest | ScoreRequest) -> Iterator[Any]:
    return engine.beams(request) if isinstance(request, BeamsRequest) else engine.score(request)


@pytest.mark.parametrize("of", [search, scoring])
def test_readers_who_pause_keep_nobody_waiting(engine: LocalEngine, of: Callable[[int], Any]) -> None:
    paused = [ask(engine, of(number)) for number in range(3 * N_KEPT)]
    firsts = [next(one) for one in paused]
    whole = list(ask(engine, of(99)))
    assert len(whole) > 1
    for first, one in zip(firsts, paused, strict=True):
        assert len([first, *one]) == len(whole)


@pytest.mark.parametrize("known", [False, True])
def test_readers_of_the_same_scores_draw_at_the_same_time(engine: LocalEngine, known: bool) -> None:
    """Each draws its first text until all of them do: nobody's drawing waits for another's."""
    request = scoring(1)
    expected = list(engine.score(request)) if known else None
    all_draw = threading.Barrier(N_READERS, timeout=20)

    def read(_reader: int) -> list[Any]:
        found = []
        for one in engine.score(scoring(1)):
            found.append(one)
            if len(found) == 1:
                all_draw.wait()
        return found

    with ThreadPoolExecutor(N_READERS) as pool:
        found = list(pool.map(read, range(N_READERS)))
    assert all(one == found[0] for one in found)
    assert [place for place, _scores in found[0]] == list(range(len(request.texts)))
    if expected is not None:
        assert found[0] == expected


def test_a_reader_who_comes_late_finds_the_scores_known_by_then(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one joins after two pieces; no piece is read twice, and the first one may even leave."""
    joined, turns, real = threading.Event(), list[int](), ScoringWork.run
    late = scoring(1)

    def run(work: ScoringWork) -> object:
        if len(turns) == 2:
            assert joined.wait(20)
        turns.append(work.n_tokens)
        return real(work)

    monkeypatch.setattr(ScoringWork, "run", run)
    first = engine.score(scoring(1))
    next(first)
    with ThreadPoolExecutor(1) as pool:
        until(lambda: len(turns) == 2)
        second = pool.submit(lambda: list(engine.score(late)))
        until(lambda: sum(len(one.tickets) for one in list(engine._scheduler._open)) == 2)
        first.close()
        joined.set()
        found = second.result(timeout=20)
    n_turns, before = len(turns), engine.stats().n_forwards
    assert len(found) == len(late.texts)
    assert n_turns > 3
    assert list(engine.score(late)) == found
    assert (len(turns), engine.stats().n_forwards) == (n_turns, before), "all of it is known"


@pytest.mark.parametrize(("of", "work"), [(search, BeamsWork), (scoring, ScoringWork)])
def test_only_so_many_keep_keys_and_values_at_the_same_time(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, of: Callable[[int], Any], work: type[Any]
) -> None:
    begun: set[int] = set()
    most: list[int] = []
    real = work.run

    def run(one: Any) -> object:
        begun.add(id(one))
        most.append(len(begun))
        made = real(one)
        if not isinstance(made, More):
            begun.discard(id(one))
        return made

    monkeypatch.setattr(work, "run", run)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: list(ask(engine, of(number))), range(8)))
    assert {len(one) for one in found} == {len(found[0])}
    assert max(most) == N_KEPT


@pytest.mark.parametrize(("of", "work"), [(search, BeamsWork), (scoring, ScoringWork)])
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_reader_who_pauses_keeps_no_keys_and_values(
    engine: LocalEngine,
    monkeypatch: pytest.MonkeyPatch,
    of: Callable[[int], Any],
    work: type[Any],
    is_cancelled: bool,
) -> None:
    known: list[weakref.ref[Any]] = []
    real = work.run

    def run(one: Any) -> object:
        known.append(weakref.ref(one))
        return real(one)

    monkeypatch.setattr(work, "run", run)
    steps = ask(engine, of(1))
    next(steps)
    if is_cancelled:
        engine.cancel_owner("")
    until(lambda: not (engine.stats().n_waiting or engine._scheduler._running))
    engine.trace(TraceRequest(tiny.LLAMA, "after it", Capture(logits="last")))
    gc.collect()
    assert known
    assert not any(one() for one in known)
    steps.close()  # type: ignore[attr-defined]


class Outbox(list[Any]):
    def put(self, value: object, /) -> None:
        self.append(value)


def test_a_job_of_several_turns_waits_for_each_and_ends_with_its_readers() -> None:
    scheduler = Scheduler(Settings(max_kept_caches=1, linger_s=0.0))
    outboxes = [Outbox() for _ in range(3)]
    asked = [scheduler.begin(f"{number}", f"owner {number}", "trace") for number in range(3)]
    jobs = [Job("trace", number, number, 5, object(), keeps=number < 2) for number in range(3)]
    tickets = [scheduler.submit(*one) for one in zip(jobs, asked, outboxes, strict=True)]
    assert scheduler.next_batch() == [jobs[0]]
    scheduler.charge(jobs[0], 5)
    scheduler.again(jobs[0], More("a first value", 7))
    assert (outboxes[0], jobs[0].n_tokens, jobs[0].running) == (["a first value"], 7, False)
    assert scheduler.next_batch() == [jobs[2]], "the second would keep a cache too, and there is room for one"
    scheduler.finish(jobs[2], "all")
    assert scheduler.next_batch() == [jobs[0]]
    scheduler.end(asked[0])
    scheduler.again(jobs[0], More("a value for nobody", 7))
    assert tickets[0].job.payload is None
    assert scheduler.next_batch() == [jobs[1]]
    scheduler.finish(jobs[1])
    assert not scheduler.next_batch()
