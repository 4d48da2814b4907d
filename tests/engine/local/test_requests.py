"""Single flight, fairness, limits, scores, and what an engine never does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.waiting import Waiting
from playground.engine.local import model_thread as worker
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import DONE, Job
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import Asking
from playground.errors import (
    OutOfMemory,
    QueueFull,
    Superseded,
    TimedOut,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.local.held import TEXT, until


@dataclass
class Held:
    """An engine, the two signals of its held forward, and the texts' lengths in the order they were read."""

    engine: LocalEngine
    entered: threading.Event
    release: threading.Event
    n_tokens: list[int] = field(default_factory=list)


@pytest.fixture
def held_engine(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """An engine whose next forward waits until `release` is set."""
    settings = tiny_settings.model_copy(update={"max_inbox": 6, "max_inbox_per_session": 2})
    engine = LocalEngine(settings)
    engine._table.load(tiny.LLAMA).result(timeout=180)
    held = Held(engine, threading.Event(), threading.Event())
    real = worker.run_traces

    def run(*args: Any) -> object:
        held.n_tokens += [len(row.input_ids) for row in args[1]]
        held.entered.set()
        held.release.wait(timeout=180)
        return real(*args)

    monkeypatch.setattr(worker, "run_traces", run)
    yield held
    held.release.set()
    engine.close()


def test_readers_of_different_pages_share_a_forward(held_engine: Held) -> None:
    engine, pages = held_engine.engine, {
        "home": Capture("uint8", (0,), "last"), "sampling": Capture(logits="last", query_key=True),
        "inside": Capture(hidden_states="all", block_outputs=True), "attention": Capture("uint8"),
    }  # fmt: skip
    with ThreadPoolExecutor(6) as pool:
        pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "the first of all"))
        assert held_engine.entered.wait(timeout=60)
        asked = [
            pool.submit(engine.trace, TraceRequest(tiny.LLAMA, f"the page {page}", capture, owner=page))
            for page, capture in pages.items()
        ]
        dear = TraceRequest(tiny.LLAMA, "every position of it", Capture(logits="all"), owner="dear")
        asked.append(pool.submit(engine.trace, dear))
        until = time.monotonic() + 60
        while engine.stats().n_waiting < 5:
            assert time.monotonic() < until
            time.sleep(0.005)
        held_engine.release.set()
        traces = [one.result(timeout=60) for one in asked]
    assert engine.stats().n_forwards == 3, "the first, four pages at once, and every position apart"
    assert traces[0].attentions is not None
    assert traces[1].attentions is None
    assert traces[2].hidden_states is not None
    assert traces[3].hidden_states is None


def test_thirty_threads_asking_the_same_cause_one_forward(tiny_engine: LocalEngine) -> None:
    before = tiny_engine.stats().n_forwards
    ask = TraceRequest(tiny.LLAMA, "thirty students, one text", Capture(attentions="uint8", logits="last"))
    barrier = threading.Barrier(30)

    def student(i: int) -> np.ndarray:
        barrier.wait()
        logits = tiny_engine.trace(replace(ask, owner=f"s{i}", request_id=f"same-{i}")).logits
        assert logits is not None
        return logits

    with ThreadPoolExecutor(30) as pool:
        results = list(pool.map(student, range(30)))
    assert tiny_engine.stats().n_forwards - before == 1
    assert all(result is results[0] or (result == results[0]).all() for result in results)


def test_second_time_comes_from_the_cache(tiny_engine: LocalEngine) -> None:
    ask = TraceRequest(tiny.LLAMA, "asked twice", Capture(logits="last"))
    first = tiny_engine.trace(ask)
    before = tiny_engine.stats().n_forwards
    second = tiny_engine.trace(ask)
    assert (first.cached, second.cached) == (False, True)
    assert tiny_engine.stats().n_forwards == before


def test_waiting_texts_of_similar_length_share_a_forward(held_engine: Held) -> None:
    engine = held_engine.engine
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(
            engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0")
        )
        held_engine.entered.wait(timeout=180)
        rest = [
            pool.submit(
                engine.trace,
                TraceRequest(tiny.LLAMA, f"text number {i}", Capture(logits="last"), owner=str(i)),
            )
            for i in range(1, 5)
        ]
        until(lambda: engine.stats().n_waiting == 4)
        held_engine.release.set()
        for future in (first, *rest):
            future.result(timeout=180)
    assert engine.stats().n_forwards == 2


def test_superseded_and_cancelled_requests_cost_no_forward(held_engine: Held) -> None:
    engine = held_engine.engine
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(
            engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0")
        )
        held_engine.entered.wait(timeout=180)
        old = pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "typ", Capture(logits="last"), owner="ann"))
        until(lambda: engine.stats().n_waiting == 1)
        new = pool.submit(
            engine.trace, TraceRequest(tiny.LLAMA, "typing", Capture(logits="last"), owner="ann")
        )
        with pytest.raises(Superseded):
            old.result(timeout=180)
        until(lambda: engine.stats().n_waiting == 1)
        engine.cancel_owner("ann")
        held_engine.release.set()
        first.result(timeout=180)
        with pytest.raises(Exception, match=r"Stopped\."):
            new.result(timeout=180)
    assert engine.stats().n_forwards == 1


def test_one_impatient_student_does_not_spoil_the_shared_forward(held_engine: Held) -> None:
    engine = held_engine.engine
    with ThreadPoolExecutor(6) as pool:
        pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0"))
        held_engine.entered.wait(timeout=180)
        same = TraceRequest(tiny.LLAMA, "the same text", Capture(logits="last"))
        patient = pool.submit(engine.trace, replace(same, owner="patient", request_id="p"))
        until(lambda: engine.stats().n_waiting == 1)
        hasty = pool.submit(engine.trace, replace(same, owner="hasty", request_id="h"))
        until(lambda: len(engine._scheduler._open) == 3)
        engine.cancel("h")
        held_engine.release.set()
        assert patient.result(timeout=180).logits is not None
        with pytest.raises(Exception, match=r"Stopped\."):
            hasty.result(timeout=180)


def test_full_inbox_answers_at_once_with_the_position(held_engine: Held) -> None:
    engine = held_engine.engine
    with ThreadPoolExecutor(8) as pool:
        pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0"))
        held_engine.entered.wait(timeout=180)
        for i in range(1, 6):
            pool.submit(
                engine.trace, TraceRequest(tiny.LLAMA, f"waits {i}", Capture(logits="last"), owner=str(i))
            )
        until(lambda: engine.stats().n_waiting == 5)
        with pytest.raises(QueueFull) as refused:
            engine.trace(TraceRequest(tiny.LLAMA, "one too many", Capture(logits="last"), owner="late"))
        assert refused.value.params["position"] == 6
        held_engine.release.set()


def test_one_session_cannot_fill_the_inbox(held_engine: Held) -> None:
    engine = held_engine.engine
    with ThreadPoolExecutor(8) as pool:
        pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0"))
        held_engine.entered.wait(timeout=180)
        for topic in "ab":
            ask = TraceRequest(
                tiny.LLAMA, f"greedy {topic}", Capture(logits="last"), owner="greedy", topic=topic
            )
            pool.submit(engine.trace, ask)
        until(lambda: engine.stats().n_waiting == 2)
        with pytest.raises(QueueFull):
            engine.trace(
                TraceRequest(tiny.LLAMA, "greedy c", Capture(logits="last"), owner="greedy", topic="c")
            )
        held_engine.release.set()


def test_a_long_text_of_slow_tokens_is_no_silence(tiny_settings: Settings) -> None:
    """Tokens come slower than the wait looks and all together take longer than it lasts."""
    told: list[float] = []

    class Slow:
        """Gives a token every 0.25 s, four in all."""

        together = nullcontext

        def begin(self, *_who: object) -> object:
            return self

        def check(self, _asked: object) -> None: ...

        def submit(self, _job: object, _asked: object, outbox: Any) -> object:
            def give() -> None:
                for token in range(4):
                    time.sleep(0.25)
                    outbox.put(token)
                outbox.put(DONE)

            threading.Thread(target=give, daemon=True).start()
            return SimpleNamespace(is_broken=False)

        def place(self, _ticket: object) -> tuple[int, None]:
            return 0, None

        def take_back(self, _tickets: object) -> None: ...

        def end(self, _asked: object) -> None: ...

    scheduler, job = cast("Scheduler", Slow()), cast("Job", object())
    request = TraceRequest(tiny.LLAMA, TEXT, timeout_s=0.7)
    with Asking(
        scheduler, request, "decode", None, tiny_settings, lambda waiting: told.append(waiting.waited_s)
    ) as one:
        assert list(one.results(job)) == [0, 1, 2, 3]
    assert told
    assert max(told) < 0.7


@pytest.mark.parametrize("moves", [True, False])
def test_in_a_queue_that_moves_nobody_is_sent_away(tiny_settings: Settings, moves: bool) -> None:
    scheduler = Scheduler(tiny_settings)
    limits = tiny_settings.model_copy(update={"request_timeout_s": 0.35, "queue_timeout_s": 20.0})
    heard: list[Waiting] = []

    def others(waiting: Waiting) -> None:
        heard.append(waiting)
        if moves and len(heard) == 8:  # its own turn at last
            (own,) = scheduler.next_batch()
            scheduler.finish(own, "the answer")
        elif moves:
            scheduler.n_turns += 1

    job = Job("trace", "mine", "mine", 10, None)
    with Asking(scheduler, TraceRequest(tiny.LLAMA), "trace", None, limits, others) as asking:
        if moves:
            assert asking.result(job) == "the answer"
        else:
            with pytest.raises(TimedOut):
                asking.result(job)
    assert {one.position for one in heard} == {1}


def test_waiting_caller_is_told_its_place_and_may_give_up(held_engine: Held) -> None:
    engine = held_engine.engine
    heard: list[Waiting] = []
    with ThreadPoolExecutor(8) as pool:
        pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "first", Capture(logits="last"), owner="0"))
        held_engine.entered.wait(timeout=180)
        with pytest.raises(TimedOut):
            engine.trace(
                TraceRequest(tiny.LLAMA, "impatient", Capture(logits="last"), timeout_s=0.25), heard.append
            )
        assert {each.position for each in heard} == {1}
        assert engine.stats().n_waiting == 0

        def leave(waiting: Waiting) -> None:
            raise KeyboardInterrupt  # like Streamlit's StopException: not an Exception

        with pytest.raises(KeyboardInterrupt):
            engine.trace(TraceRequest(tiny.LLAMA, "interrupted", Capture(logits="last")), leave)
        assert engine.stats().n_waiting == 0
        held_engine.release.set()


def test_request_that_fails_fails_alone(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = LocalEngine(tiny_settings)
    real = worker.run_traces

    def run(loaded: object, rows: list[object], capture: object) -> object:
        if any(len(row.input_ids) == 13 for row in rows):  # type: ignore[attr-defined]
            raise RuntimeError("not enough memory: this row is cursed")
        return real(loaded, rows, capture)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "run_traces", run)
    good = [tuple(range(10 + i, 20 + i)) for i in range(5)]
    cursed = tuple(range(13))

    def ask(ids: tuple[int, ...]) -> object:
        return engine.trace(
            TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="last"), owner=str(ids))
        )

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(ask, ids) for ids in good]
        bad = pool.submit(ask, cursed)
        assert all(future.result(timeout=180) for future in futures)
        with pytest.raises(OutOfMemory):
            bad.result(timeout=180)
    engine.close()


def test_least_served_session_is_next(held_engine: Held) -> None:
    """A session that had much computed waits for one that had little."""
    engine = held_engine.engine

    def ask(owner: str, text: str) -> None:
        engine.trace(TraceRequest(tiny.LLAMA, text, Capture(logits="last"), owner=owner, topic=text))

    with ThreadPoolExecutor(8) as pool:
        pool.submit(ask, "heavy", "first " * 8)
        held_engine.entered.wait(timeout=180)
        pool.submit(ask, "heavy", "second " * 8)
        until(lambda: engine.stats().n_waiting == 1)
        pool.submit(ask, "light", "hi")
        until(lambda: engine.stats().n_waiting == 2)
        with engine._scheduler._changed:
            engine._scheduler._paid["heavy"] += 100
        held_engine.release.set()
    first, second, third = held_engine.n_tokens
    assert second < first, "the light one was second"
    assert third > second
