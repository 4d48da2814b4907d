"""Two replicas answer as one engine does, and go on where one of them is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from playground.core.inside import log_probabilities
from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.contract.waiting import Waiting
from playground.engine.remote.engine import RayEngine
from playground.engine.remote.seats import Seat
from playground.errors import Cancelled, NotComputed, Superseded
from tests import tiny

TEXT = "the cat sat on"
SECRET = "xylophone quagmire"


def until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.05)


def kill(seat: Seat) -> None:
    os.kill(seat.asked("pid"), signal.SIGKILL)


@pytest.fixture(autouse=True)
def _all_are_here(ray_engine: RayEngine) -> None:
    until(lambda: all(seat.is_here for seat in ray_engine._seats.all), 120)


def owner_of(engine: RayEngine, place: int) -> str:
    """A session whose seat is the one at this place."""
    seat = engine._seats.all[place]
    return next(name for n in range(99) if engine._seats.of_owner(name := f"o{n}", 1) is seat)


def run_of(owner: str, n_steps: int = 10_000) -> FinetuneRequest:
    text = TrainingText((5, 6, 7, 8, 9) * 8, (False, *[True] * 39))
    settings = FinetuneSettings(tiny.LLAMA, "killed", n_steps=n_steps, learning_rate=1e-2)
    return FinetuneRequest(settings, train=(text,) * 8, held_out=(text,), owner=owner)


def tokens(engine: Engine, request: GenerateRequest) -> list[int]:
    return [step.token_id for step in engine.generate(request)]


def test_two_replicas_answer_as_one_engine(ray_engine: RayEngine, tiny_engine: Engine) -> None:
    both: tuple[Engine, ...] = (ray_engine, tiny_engine)
    for n in range(6):  # some on either
        trace = TraceRequest(tiny.LLAMA, f"{TEXT} {n}", Capture(logits="all", hidden_states="all"))
        ours, theirs = (one.trace(trace) for one in both)
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=1e-4)
        np.testing.assert_array_equal(ours.input_ids, theirs.input_ids)
        lenses = [one.inside.lens(LensRequest(tiny.LLAMA, f"{TEXT} {n}")) for one in both]
        np.testing.assert_array_equal(lenses[0].answer_ids, lenses[1].answer_ids)
        asked = GenerateRequest(
            tiny.LLAMA, f"{TEXT} {n}", sampling=Sampling(temperature=0.9), seed=n, owner=f"same{n}"
        )
        ours_written, theirs_written = (tokens(one, asked) for one in both)
        assert ours_written == theirs_written
    score = ScoreRequest(tiny.LLAMA, (TEXT, "a dog"), ((" the", " a"), (" mat", " cat")))
    for (_place, ours), (_same, theirs) in zip(*(one.score(score) for one in both), strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, atol=1e-4)


def test_equal_questions_of_many_meet_one_cache(ray_engine: RayEngine) -> None:
    before = ray_engine.stats().n_forwards
    for n in range(8):
        asked = TraceRequest(tiny.GPT2, "asked by many", Capture(logits="last"), owner=f"many{n}")
        ray_engine.trace(asked)
    assert ray_engine.stats().n_forwards == before + 1


def test_a_newer_request_supersedes_an_older_one_on_another_replica(ray_engine: RayEngine) -> None:
    owner = owner_of(ray_engine, 0)
    steps = ray_engine.generate(GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=60, owner=owner))
    next(steps)
    list(ray_engine.generate(GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=1, owner=owner)))
    with pytest.raises(Superseded):
        list(steps)


def test_only_what_the_contract_names_can_be_called(ray_engine: RayEngine) -> None:
    for method in ("_thread.join", "inside._backend", "settings.model_dump", "__class__"):
        with pytest.raises(NotComputed):
            ray_engine._calls.value(ray_engine._routes.owner(""), method)


def test_who_waits_is_told_where_it_stands(ray_engine: RayEngine) -> None:
    """The replica has 60 texts to write first, so this one waits."""
    owner, told = owner_of(ray_engine, 0), list[Waiting]()
    many = tuple(GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=60, seed=n) for n in range(60))
    ahead = ray_engine.generate_many(GenerateManyRequest(tiny.LLAMA, many, owner=owner))
    next(ahead)
    asked = GenerateRequest(tiny.LLAMA, TEXT, max_new_tokens=1, owner=owner, topic="other")
    list(ray_engine.generate(asked, told.append))
    ahead.close()  # type: ignore[attr-defined]
    assert [one.state for one in told] == ["ready"] * len(told)
    assert told
    assert max(one.position for one in told) > 0


def test_an_adapter_is_served_by_both_and_ends_on_both(ray_engine: RayEngine) -> None:
    owner = owner_of(ray_engine, 0)
    request = run_of(owner, n_steps=12)
    ray_engine.training.runs.start(request)
    until(lambda: ray_engine.training.runs.state(request.request_id, owner).status in ENDED)
    until(lambda: ray_engine.training.runs.state(request.request_id, owner).is_settled)
    (info,) = ray_engine.adapters.of(owner)
    traces = [
        ray_engine.trace(TraceRequest(info.model_id, f"{TEXT} {n}", Capture(logits="last"))) for n in range(8)
    ]
    served = [seat.asked("published", info.model_id) is not None for seat in ray_engine._seats.all]
    assert served == [True, True]
    bare = ray_engine.trace(TraceRequest(tiny.LLAMA, f"{TEXT} 0", Capture(logits="last")))
    assert np.abs(bare.logits - traces[0].logits).max() > 0.1
    assert not ray_engine.adapters.belongs(info.model_id, "another")
    ray_engine.adapters.remove(info.model_id, owner)
    assert ray_engine.adapters.of(owner) == []
    served = [seat.asked("published", info.model_id) is not None for seat in ray_engine._seats.all]
    assert served == [False, False]


class Asking(threading.Thread):
    """A reader who asks one new question after another."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(daemon=True)
        self.engine, self.owner = engine, name
        self.longest_s, self.n, self.failed = 0.0, 0, list[Exception]()
        self.stop = threading.Event()

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                begun = time.monotonic()
                text = f"{SECRET} {self.owner} {self.n}"
                asked = TraceRequest(tiny.GPT2, text, Capture(logits="last"), owner=self.owner)
                assert self.engine.trace(asked).logits is not None
                self.longest_s = max(self.longest_s, time.monotonic() - begun)
                self.n += 1
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.failed.append(error)


@pytest.fixture
def readers(ray_engine: RayEngine) -> Iterator[list[Asking]]:
    found = [Asking(ray_engine, f"reader{n}") for n in range(4)]
    for one in found:
        one.start()
    yield found
    for one in found:
        one.stop.set()
        one.join()


def test_a_replica_killed_in_the_middle_of_everything(
    ray_engine: RayEngine, tiny_engine: Engine, readers: list[Asking]
) -> None:
    """Traces are retried, a text goes on, a run ends with a sentence and keeps its best adapter."""
    engine, runs, owner = ray_engine, ray_engine.training.runs, owner_of(ray_engine, 1)
    killed, lost = engine._seats.of_owner(owner, 1), run_of(owner)
    life = killed.life
    runs.start(lost)
    until(lambda: bool(runs.state(lost.request_id, owner).best_step))
    until(lambda: runs._runs[lost.request_id].learned is not None)
    asked = GenerateRequest(tiny.LLAMA, TEXT, sampling=Sampling(temperature=1.1), seed=5, owner=owner,
                            max_new_tokens=60)  # fmt: skip
    steps = engine.generate(asked)
    begun = [next(steps) for _n in range(3)]
    kill(killed)
    at = time.monotonic()
    rest = list(steps)
    assert time.monotonic() - at < 10
    assert [step.index for step in (*begun, *rest)] == list(range(len(begun) + len(rest)))
    assert [step.token_id for step in (*begun, *rest)] == tokens(tiny_engine, asked)

    state = runs.state(lost.request_id, owner)
    assert state.status == "failed"
    assert "has stopped" in str(state.error)
    assert 0 < state.adapter_step <= state.step
    assert [info.model_id for info in engine.adapters.of(owner)] == [state.adapter]
    ids = lost.held_out[0].input_ids
    traced = engine.trace(TraceRequest(state.adapter, input_ids=ids, capture=Capture(logits="all")))
    surprisal = -log_probabilities(traced.logits)[np.arange(len(ids) - 1), ids[1:]].mean()
    assert surprisal == pytest.approx(dict(state.held_out)[state.adapter_step], rel=1e-3)
    assert surprisal < state.held_out[0][1]
    assert [one.run_id for one in runs.of(owner)] == [lost.request_id]

    until(lambda: killed.is_here and killed.life != life, 120)  # Serve has put another there
    n_before = [one.n for one in readers]
    until(lambda: all(one.n > before + 3 for one, before in zip(readers, n_before, strict=True)))
    assert [one.failed for one in readers] == [[]] * len(readers)
    assert max(one.longest_s for one in readers) < 10


def test_a_closed_tab_ends_its_requests_wherever_they_are(ray_engine: RayEngine) -> None:
    owner = owner_of(ray_engine, 0)
    steps = ray_engine.generate(
        GenerateRequest(tiny.LLAMA, TEXT, sampling=GREEDY, max_new_tokens=100, owner=owner)
    )
    next(steps)
    ray_engine.cancel_owner(owner)
    with pytest.raises(Cancelled):
        list(steps)
    until(lambda: ray_engine.stats().n_decoding == 0)
    ray_engine.owner_back(owner)


def test_what_readers_type_is_in_no_file_of_ray(ray_engine: RayEngine) -> None:
    folder, words = ray_engine._cluster.folder, SECRET.encode()
    assert folder is not None
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("serve" in path.parts for path in files)
    assert [path.name for path in files if words in path.read_bytes()] == []
