"""A request can be taken back at any moment and keeps its place until it ends; a newer one replaces it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from playground.core.sampling import Sampling
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.decoding.beam_search import BeamsWork
from playground.engine.forward import lens
from playground.engine.local import model_thread as worker
from playground.engine.local.engine import LocalEngine
from playground.engine.models import loading
from playground.errors import Cancelled, QueueFull, Superseded
from playground.settings import Settings
from tests import tiny
from tests.engine.training.learning import run_of, trained

TEXT = "The capital of England is London and the cat sat on the mat"
STEPPED = (  # what is asked of the model thread in several steps
    ("beams", BeamsRequest(tiny.LLAMA, TEXT, n_beams=2, max_new_tokens=6)),
    ("vectors.traces", TracesRequest(tiny.LLAMA, (TEXT, TEXT * 2, "0 1 2 3 4 5 6 7"), (1,))),
    ("inside.ablations", AblationsRequest(tiny.LLAMA, TEXT)),
    ("score", ScoreRequest(tiny.LLAMA, (TEXT, TEXT * 3), ((" a", " b"), (" c", " d")))),
)
ALL = (
    *STEPPED,
    ("trace", TraceRequest(tiny.LLAMA, TEXT, Capture(logits="last"))),
    ("inside.lens", LensRequest(tiny.LLAMA, TEXT)),
    ("generate", GenerateRequest(tiny.LLAMA, TEXT)),
    ("generate_many", GenerateManyRequest(tiny.LLAMA, (GenerateRequest(tiny.LLAMA, TEXT),))),
)
Cancel = Callable[[LocalEngine], None]
CANCELS: tuple[Cancel, ...] = (lambda engine: engine.cancel("it"), lambda engine: engine.cancel_owner("ann"))


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 10 s")


def ask(engine: LocalEngine, name: str, request: Any) -> Any:
    """The whole answer, as the request of the session Ann."""
    found = attrgetter(name)(engine)(replace(request, owner="ann", request_id="it", timeout_s=30.0))
    return list(found) if isinstance(found, Iterator) else found


def new_engine(settings: Settings, **changes: object) -> LocalEngine:
    small = {"prefill_chunk_tokens": 8, "max_kept_caches": 1, "cache_bytes": 0}
    return LocalEngine(settings.model_copy(update=small | changes))


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    """Small chunks, so that everything takes several steps."""
    engine = new_engine(tiny_settings)
    yield engine
    engine.close()


@pytest.mark.parametrize("cancel", CANCELS, ids=["by id", "by owner"])
@pytest.mark.parametrize(("name", "request_"), STEPPED, ids=[name for name, _ in STEPPED])
def test_cancelled_between_two_steps_raises(
    engine: LocalEngine, name: str, request_: Any, cancel: Cancel
) -> None:
    steps = attrgetter(name)(engine)(replace(request_, owner="ann", request_id="it"))
    next(steps)
    cancel(engine)
    with pytest.raises(Cancelled):
        list(steps)
    assert not engine._scheduler._open
    engine.trace(TraceRequest(tiny.GPT2, TEXT))  # behind whatever was being computed
    before = engine.stats().n_forwards
    engine.trace(TraceRequest(tiny.GPT2, TEXT))
    assert engine.stats().n_forwards == before + 1


@pytest.fixture
def loading_engine(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEngine]:
    """An engine whose models never become ready while the test runs."""
    entered, end, real = threading.Event(), threading.Event(), loading.load

    def load(*args: Any) -> object:
        entered.set()
        end.wait(60)
        return real(*args)

    monkeypatch.setattr(loading, "load", load)
    engine = new_engine(tiny_settings)
    engine.load(tiny.LLAMA)
    entered.wait(60)
    yield engine
    end.set()
    engine.close()


@pytest.mark.parametrize("cancel", [*CANCELS, LocalEngine.close], ids=["by id", "by owner", "close"])
def test_cancelled_while_its_model_loads_raises(loading_engine: LocalEngine, cancel: Cancel) -> None:
    with ThreadPoolExecutor(len(ALL)) as pool:
        asked = [pool.submit(ask, loading_engine, *one) for one in ALL]
        # Ann's newer requests of one topic replace older ones: a trace has another topic than a lens
        until(lambda: len(loading_engine._scheduler._open) == len(ALL))
        time.sleep(0.15)
        cancel(loading_engine)
        started = time.monotonic()
        for one in asked:
            with pytest.raises(Cancelled):
                one.result(timeout=30)
        assert time.monotonic() - started < 5


def test_closing_ends_every_wait_for_a_model_that_is_still_in_the_line(loading_engine: LocalEngine) -> None:
    """Two load at a time; the third waits. What asks for it without a request waits too."""
    engine = loading_engine
    with ThreadPoolExecutor(8) as pool:
        waits: list[Future[object]] = [
            pool.submit(engine.inside.parts, model) for model in (tiny.LLAMA, tiny.GPT2, tiny.BERT)
        ]
        waits += [
            pool.submit(engine.inside.positions, tiny.BERT),
            pool.submit(engine.vectors.embedding_table, tiny.BERT),
            pool.submit(engine.training.linears, tiny.BERT),
            pool.submit(engine.trace, TraceRequest(tiny.BERT, "a", Capture(hidden_states="all"))),
        ]
        until(lambda: engine._table._futures.keys() >= {tiny.LLAMA, tiny.GPT2, tiny.BERT})
        engine.close()
        for one in waits:
            with pytest.raises(Cancelled):
                one.result(timeout=30)
    assert {info.state for info in engine.models() if info.model_id == tiny.BERT} == {"failed"}
    with pytest.raises(Cancelled):
        engine.load(tiny.T5)
    with pytest.raises(Cancelled):
        engine.trace(TraceRequest(tiny.T5, "a"))


def test_cancelled_while_it_waits_for_its_turn_raises(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has room for one search, and the first one has begun."""
    begun, go_on, real = threading.Event(), threading.Event(), BeamsWork.run

    def run(work: BeamsWork) -> object:
        begun.set()
        go_on.wait(30)
        return real(work)

    monkeypatch.setattr(BeamsWork, "run", run)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: list(engine.beams(BeamsRequest(tiny.LLAMA, TEXT, max_new_tokens=4))))
        assert begun.wait(30)
        second = pool.submit(ask, engine, *STEPPED[0])
        until(lambda: engine.stats().n_waiting == 1)
        engine.cancel_owner("ann")
        with pytest.raises(Cancelled):
            second.result(timeout=30)
        go_on.set()
        assert first.result(timeout=30)[-1].done


def test_a_running_search_keeps_its_place(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two places: the search has one, also between its steps; a third one is refused."""
    engine = new_engine(tiny_settings, max_inbox=2)
    steps = engine.beams(BeamsRequest(tiny.LLAMA, TEXT, max_new_tokens=4))
    next(steps)
    entered, release, real = threading.Event(), threading.Event(), worker.run_traces

    def run(*args: Any) -> object:
        entered.set()
        release.wait(30)
        return real(*args)

    monkeypatch.setattr(worker, "run_traces", run)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(engine.trace, TraceRequest(tiny.LLAMA, "held", Capture(logits="last")))
        entered.wait(30)
        with pytest.raises(QueueFull):
            engine.trace(TraceRequest(tiny.LLAMA, "third", Capture(logits="last")))
        release.set()
        assert list(steps)[-1].done
        assert held.result(timeout=30).logits is not None
    engine.trace(TraceRequest(tiny.LLAMA, "third", Capture(logits="last")))
    engine.close()


def test_the_newer_lens_wins_whatever_the_older_one_asks_next(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one is queued before the older one queues its second chunk."""
    one = LensRequest(tiny.LLAMA, TEXT, owner="ann", timeout_s=10.0)
    alone = engine.inside.lens(replace(one, text="the newer text", owner=""))
    monkeypatch.setattr(lens, "CHUNK_ROWS", 8)
    release, real, real_run = threading.Event(), lens.LensWork, worker.run_traces
    is_asked = threading.Event()
    newer: list[Future[Any]] = []

    def run(*args: Any) -> object:
        if is_asked.is_set():
            release.wait(10)
        return real_run(*args)

    def work(*args: Any) -> object:
        made.append(args)
        if len(made) == 2:
            is_asked.set()
            newer.append(
                pool.submit(engine.inside.lens, replace(one, text="the newer text", request_id="newer"))
            )
            until(lambda: engine.stats().n_waiting + len(engine._scheduler._running) > 0)
            threading.Timer(0.3, release.set).start()  # time enough for the older one to ask
        return real(*args)

    made: list[object] = []
    monkeypatch.setattr(worker, "run_traces", run)
    monkeypatch.setattr(lens, "LensWork", work)
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(Superseded):
            engine.inside.lens(replace(one, request_id="older"))
        np.testing.assert_allclose(newer[0].result(30).top_probs, alone.top_probs, rtol=0, atol=1e-5)


def written(engine: LocalEngine, request: GenerateRequest) -> list[int]:
    return [step.token_id for step in engine.generate(request)]


@pytest.mark.parametrize("alone", [False, True])
def test_equal_request_ids_never_share_an_answer(engine: LocalEngine, alone: bool) -> None:
    """`dataclasses.replace` keeps the id."""
    one = GenerateRequest(
        tiny.LLAMA,
        TEXT,
        sampling=Sampling(temperature=1.5),
        max_new_tokens=12,
        request_id="same",
        alone=alone,
    )
    wanted = [replace(one, seed=seed, text=TEXT[: 10 + seed]) for seed in range(4)]
    expected = [written(engine, request) for request in wanted]
    assert len({tuple(ids) for ids in expected}) == 4
    found: list[list[int]] = [[] for _ in wanted]
    for row, step in engine.generate_many(GenerateManyRequest(tiny.LLAMA, tuple(wanted), request_id="same")):
        found[row].append(step.token_id)
    assert found == expected
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda request: written(engine, request), wanted)) == expected
    search = [BeamsRequest(tiny.LLAMA, text, request_id="same") for text in ("the cat", "0 1 2")]
    hypotheses = [list(engine.beams(request))[-1].hypotheses for request in search]
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda request: list(engine.beams(request))[-1].hypotheses, search)
        assert list(both) == hypotheses


def test_cancelling_an_id_ends_all_that_bear_it_and_nothing_else(engine: LocalEngine) -> None:
    one = GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=100, request_id="same")
    running = [engine.generate(one), engine.generate(replace(one, seed=1))]
    other = engine.generate(replace(one, seed=2, request_id="other", max_new_tokens=10))
    for steps in (*running, other):
        next(steps)
    engine.cancel("same")
    for steps in running:
        with pytest.raises(Cancelled):
            list(steps)
    assert len(list(other)) == 9


def test_an_import_that_ends_after_its_session_left_is_freed_after_a_while(tiny_settings: Settings) -> None:
    engine = new_engine(tiny_settings, adapter_grace_s=0.2)
    adapter = trained(engine, run_of(1, n_steps=1, owner="teacher")).adapter
    data, size = engine.adapters.exported(adapter, {}), engine.adapters.size_bytes
    engine.cancel_owner("left")
    model_id = engine.adapters.imported(tiny.LLAMA, "late", data, "left").model_id
    assert engine.adapters.size_bytes == 2 * size
    assert engine.adapters.belongs(model_id, "left"), "a session whose connection was lost finds it"
    until(lambda: engine.adapters.size_bytes == size)
    engine.close()
