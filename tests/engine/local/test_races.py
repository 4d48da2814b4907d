"""Whatever the moment at which callers come and go: each gets an answer or one of our errors, at once."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local import model_thread as worker
from playground.engine.local.engine import LocalEngine
from playground.errors import Cancelled, PlaygroundError, TimedOut
from playground.settings import Settings
from tests import tiny

TEXTS = ("the cat", "the dog sat", "0 1 2 3")


class Watched(list[Any]):
    """The tickets of a job: after each look that the engine thread takes at them, something happens."""

    def __init__(self, tickets: Sequence[object], events: Iterator[Callable[[], None]]) -> None:
        super().__init__(tickets)
        self._events = events

    def __len__(self) -> int:
        n = super().__len__()
        if threading.current_thread().name == "engine":
            next(self._events, lambda: None)()
        return n


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    """An engine whose cache holds nothing, so that every trace is computed."""
    engine = LocalEngine(tiny_settings.model_copy(update={"cache_bytes": 0, "linger_s": 0.0}))
    engine._table.load(tiny.LLAMA).result(timeout=180)
    yield engine
    engine.close()


@pytest.mark.parametrize("n_looks", [0, 1, 2, 3])
def test_whoever_joins_a_job_that_its_last_reader_leaves_is_answered(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, n_looks: int
) -> None:
    """The last reader leaves after so many looks at the tickets; another comes after the next look."""
    ask = TraceRequest(tiny.LLAMA, TEXTS[0], Capture(logits="last"), timeout_s=15.0)
    expected = engine.trace(ask).logits
    assert expected is not None
    answers: list[object] = []

    def trace(request_id: str) -> None:
        try:
            answers.append(engine.trace(replace(ask, request_id=request_id)).logits)
        except Cancelled:
            answers.append("cancelled")
        except Exception as error:  # noqa: BLE001  (looked at below)
            answers.append(error)

    def meanwhile(act: Callable[..., object], name: str) -> Callable[[], None]:
        """In another thread: where it needs a lock that is held here, it happens as soon as that is free."""

        def start() -> None:
            thread = threading.Thread(target=act, args=(name,))
            threads.append(thread)
            thread.start()
            thread.join(0.2)

        return start

    def next_batch() -> list[Any]:
        jobs = real()
        if jobs:
            monkeypatch.setattr(engine._scheduler, "next_batch", real)
            events = [*[lambda: None] * (n_looks - 1), meanwhile(engine.cancel, "first")]
            if n_looks == 0:
                events.pop()()
            jobs[0].tickets = Watched(jobs[0].tickets, iter([*events, meanwhile(trace, "second")]))
        return jobs

    threads: list[threading.Thread] = []
    real = engine._scheduler.next_batch
    monkeypatch.setattr(engine._scheduler, "next_batch", next_batch)
    trace("first")
    trace("third")
    for thread in threads:
        thread.join(10)
    for answer in answers:
        if not isinstance(answer, str):
            np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)
    assert engine._scheduler._running == {}


def test_many_readers_of_few_texts_are_all_answered(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads change places as often as they can; sessions type on, so that most requests are superseded."""
    ids = {
        text: engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True).input_ids
        for text in TEXTS
    }
    ready = {
        tuple(ids[text]): engine.trace(TraceRequest(tiny.LLAMA, text, Capture(logits="last")))
        for text in TEXTS
    }
    monkeypatch.setattr(
        worker, "run_traces", lambda _loaded, rows, _capture: [ready[r.input_ids] for r in rows]
    )
    deadline = time.monotonic() + 6
    odd: list[object] = []
    n_answers = [0] * 24

    def reader(number: int) -> None:
        draw = random.Random(number)
        while time.monotonic() < deadline and not odd:
            text = draw.choice(TEXTS)
            owner = f"session {number % 8}"
            try:
                found = engine.trace(
                    TraceRequest(tiny.LLAMA, text, Capture(logits="last"), owner=owner, timeout_s=15.0)
                )
                if not isinstance(found, Trace) or tuple(found.input_ids) != tuple(ids[text]):
                    odd.append(found)
                n_answers[number] += 1
            except TimedOut as error:
                odd.append(error)
            except PlaygroundError:
                n_answers[number] += 1
            except Exception as error:  # noqa: BLE001  (looked at below)
                odd.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=reader, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(before)
    assert odd == []
    assert min(n_answers) > 5
    assert (engine._scheduler._running, engine._scheduler._waiting) == ({}, {})
