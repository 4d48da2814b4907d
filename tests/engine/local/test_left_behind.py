"""Sessions that come, do everything and leave, again and again: the engine is as large as after the first."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from playground.engine import create_engine
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import PlaygroundError
from playground.settings import Settings
from tests import tiny
from tests.engine.collections_built import ENGLISH, document, request, until_ended
from tests.engine.training.head_runs import head_run
from tests.engine.training.learning import run_of, wait

N_SESSIONS, N_LESSONS = 6, 4
GRACE_S = 0.3
CACHE_BYTES = 200_000  # full after the first lesson
KEPT = {"_Entry", "Build"}  # states of builds, 1,000 of which are kept
MOST_MORE = 12  # objects of one class that a lesson may happen to leave in a cache


@pytest.fixture
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    few = {"cache_bytes": CACHE_BYTES, "adapter_grace_s": GRACE_S, "known_vector_bytes": 20_000}
    made = create_engine(tiny_settings.model_copy(update=few | {"head_vector_bytes": 20_000}))
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def session(engine: LocalEngine, number: int) -> None:
    """One reader does a bit of everything; every third leaves in the middle of it."""
    owner, text = f"reader {number}", f"the cat sat on mat {number}"
    try:
        engine.trace(TraceRequest(tiny.LLAMA, text, Capture(logits="all", attentions="uint8"), owner=owner))
        engine.inside.lens(LensRequest(tiny.LLAMA, text, owner=owner))
        runs = [run_of(number, n_steps=2, owner=owner)]
        engine.training.runs.start(runs[0])
        engine.training.runs.start(head_run(number, owner, n_steps=2))
        build = engine.retrieval.build(request(owner, document(f"{number}", f"{text}. {ENGLISH}")))
        steps = engine.generate(GenerateRequest(tiny.GPT2, text, max_new_tokens=8, owner=owner))
        next(steps)
        if number % 3 == 0:
            engine.cancel_owner(owner)
        list(steps)
        list(engine.beams(BeamsRequest(tiny.LLAMA, text, n_beams=2, max_new_tokens=3, owner=owner)))
        until_ended(engine, build, owner)
        wait(engine, runs[0])
    except PlaygroundError:
        pass  # it has left
    finally:
        engine.cancel_owner(owner)


def lesson(engine: LocalEngine, number: int) -> None:
    """All sessions at the same time, and the time until what they made is forgotten."""
    with ThreadPoolExecutor(N_SESSIONS) as pool:
        first = number * N_SESSIONS
        list(pool.map(lambda one: session(engine, one), range(first, first + N_SESSIONS)))
    until = time.monotonic() + 60
    while engine.training._timer is not None or engine.training.runs.has_orphans:
        assert time.monotonic() < until
        time.sleep(0.05)


def alive() -> Counter[str]:
    """Objects of classes of ours, by the name of the class."""
    gc.collect()
    ours = (one for one in gc.get_objects() if type(one).__module__.startswith("playground."))
    return Counter(type(one).__name__ for one in ours)


def test_who_has_left_leaves_nothing_in_the_engine(engine: LocalEngine) -> None:
    lesson(engine, 0)
    process = psutil.Process()
    before, n_threads, n_files = alive(), threading.active_count(), process.num_fds()
    for number in range(1, N_LESSONS):
        lesson(engine, number)
        assert engine.stats().cache_bytes <= CACHE_BYTES
    more = {name: n - before[name] for name, n in alive().items() if n - before[name] > MOST_MORE}
    assert {name: n for name, n in more.items() if name not in KEPT} == {}
    assert threading.active_count() <= n_threads
    assert process.num_fds() <= n_files
    scheduler, runs = engine._scheduler, engine.training.runs
    assert [*scheduler._waiting, *scheduler._running, *scheduler._open, *runs._parts] == []
    assert engine.stats().adapter_bytes == 0
    assert engine.stats().n_restarts == 0
