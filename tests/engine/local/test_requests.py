"""Single flight, fairness, limits, scores, and what an engine never does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from playground.core.penalties import Penalties
from playground.core.sampling import Sampling
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.waiting import Waiting
from playground.engine.local import model_thread as worker
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import DONE, Job
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.scheduling.waiting import Asking
from playground.errors import (
    BadValue,
    EmptyText,
    ModelNotFound,
    OutOfMemory,
    QueueFull,
    Superseded,
    TextTooLong,
    TimedOut,
    TooManyTokens,
    Unsupported,
)
from playground.settings import Settings
from tests import tiny

TEXT = "The capital of England is"


@dataclass
class Held:
    """An engine, the two signals of its held forward, and the texts' lengths in the order they were read."""

    engine: LocalEngine
    entered: threading.Event
    release: threading.Event
    n_tokens: list[int] = field(default_factory=list)


def _until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


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
        _until(lambda: engine.stats().n_waiting == 4)
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
        _until(lambda: engine.stats().n_waiting == 1)
        new = pool.submit(
            engine.trace, TraceRequest(tiny.LLAMA, "typing", Capture(logits="last"), owner="ann")
        )
        with pytest.raises(Superseded):
            old.result(timeout=180)
        _until(lambda: engine.stats().n_waiting == 1)
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
        _until(lambda: engine.stats().n_waiting == 1)
        hasty = pool.submit(engine.trace, replace(same, owner="hasty", request_id="h"))
        _until(lambda: len(engine._scheduler._open) == 3)
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
        _until(lambda: engine.stats().n_waiting == 5)
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
        _until(lambda: engine.stats().n_waiting == 2)
        with pytest.raises(QueueFull):
            engine.trace(
                TraceRequest(tiny.LLAMA, "greedy c", Capture(logits="last"), owner="greedy", topic="c")
            )
        held_engine.release.set()


def test_a_long_text_of_slow_tokens_is_no_silence() -> None:
    """Tokens come slower than the wait looks and all together take longer than it lasts."""
    told: list[float] = []

    class Slow:
        """Gives a token every 0.25 s, four in all."""

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

        def position(self, _ticket: object) -> int:
            return 0

        def take_back(self, _tickets: object) -> None: ...

        def end(self, _asked: object) -> None: ...

    scheduler, job = cast("Scheduler", Slow()), cast("Job", object())
    request = TraceRequest(tiny.LLAMA, TEXT)
    with Asking(
        scheduler, request, "decode", None, 0.7, lambda waiting: told.append(waiting.waited_s)
    ) as one:
        assert list(one.results(job)) == [0, 1, 2, 3]
    assert told
    assert max(told) < 0.7


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
        _until(lambda: engine.stats().n_waiting == 1)
        pool.submit(ask, "light", "hi")
        _until(lambda: engine.stats().n_waiting == 2)
        with engine._scheduler._changed:
            engine._scheduler._paid["heavy"] += 100
        held_engine.release.set()
    first, second, third = held_engine.n_tokens
    assert second < first, "the light one was second"
    assert third > second


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (TraceRequest(tiny.LLAMA, "", Capture(logits="last")), EmptyText),
        (TraceRequest(tiny.LLAMA, "x" * 100_000, Capture(logits="last")), TextTooLong),
        (TraceRequest(tiny.LLAMA, "가" * 150, Capture(logits="last")), TooManyTokens),
        (TraceRequest(tiny.LLAMA, "a b c d e f g h " * 5, Capture(attentions="uint8")), TooManyTokens),
        (TraceRequest(tiny.LLAMA, input_ids=(-1,), capture=Capture(logits="last")), BadValue),
        (TraceRequest(tiny.LLAMA, input_ids=(10**6,), capture=Capture(logits="last")), BadValue),
        (TraceRequest(tiny.LLAMA, "x", Capture(hidden_states=(99,))), BadValue),
        (TraceRequest(tiny.BERT, "x", Capture(logits="last")), Unsupported),
        (TraceRequest(tiny.BERT, "x", Capture(predictions=1)), Unsupported),
        (TraceRequest(tiny.LLAMA, "x", Capture(predictions=10_000)), BadValue),
        (TraceRequest("nobody/nothing", "x", Capture(logits="last")), ModelNotFound),
        (TraceRequest("../../etc/passwd", "x", Capture(logits="last")), ModelNotFound),
        (TraceRequest("gpt2", "x", Capture(logits="last")), ModelNotFound),
        (GenerateRequest(tiny.BERT, "x"), Unsupported),
        (GenerateRequest(tiny.T5, "x"), Unsupported),
        (GenerateRequest(tiny.LLAMA, ""), EmptyText),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(temperature=-1.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(temperature=float("nan"))), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(top_p=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(typical_p=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(typical_p=0.5, order="vllm")), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(order="alphabetical")), BadValue),  # type: ignore[arg-type]
        (GenerateRequest(tiny.LLAMA, "x", penalties=Penalties(repetition_penalty=0.0)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", penalties=Penalties(presence_penalty=float("nan"))), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(top_k=-1)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", sampling=Sampling(min_p=1.5)), BadValue),
        (GenerateRequest(tiny.LLAMA, "x", max_new_tokens=10**9), BadValue),
        (GenerateRequest(tiny.LLAMA, input_ids=(5,) * tiny.N_CTX), TooManyTokens),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(
    tiny_engine: LocalEngine, ask: object, error: type[Exception]
) -> None:
    answer: dict[type, Callable[[Any], object]] = {
        TraceRequest: tiny_engine.trace,
        GenerateRequest: lambda request: list(tiny_engine.generate(request)),
    }
    with pytest.raises(error) as refused:
        answer[type(ask)](ask)
    assert "{" not in str(refused.value)


@pytest.mark.parametrize("text", ["\ud800", "</script><script>", "\x00\x01", "שלום", "🧑‍🚀" * 4])
def test_odd_texts_are_traced(tiny_engine: LocalEngine, text: str) -> None:
    trace = tiny_engine.trace(TraceRequest(tiny.LLAMA, text, Capture(attentions="uint8", logits="last")))
    assert trace.logits is not None
    assert np.isfinite(trace.logits).all()


def test_closed_engine_leaves_no_thread(tiny_settings: Settings) -> None:
    before = set(threading.enumerate())
    engine = LocalEngine(tiny_settings)
    engine.trace(TraceRequest(tiny.LLAMA, TEXT, Capture(logits="last")))
    engine.close()
    _until(lambda: set(threading.enumerate()) <= before)


def test_engine_runs_without_streamlit_and_charts() -> None:
    code = (
        "import sys\n"
        "for name in ('streamlit', 'altair', 'bertviz', 'ray'): sys.modules[name] = None\n"
        "from playground.engine import create_engine\n"
        "import playground.engine.local.engine, playground.core.sampling\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_naming_the_engine_imports_nothing_that_draws() -> None:
    code = (
        "import sys\nfrom playground.engine import create_engine\n"
        "print([name for name in ('streamlit', 'altair', 'bertviz', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
