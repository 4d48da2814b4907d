"""Measurements run one after the other, once for all who ask; the last one who wants it can stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from playground.core.indexes.found import Vectors
from playground.core.indexes.measured import Built, Point
from playground.ui.retrieval import measurements
from playground.ui.retrieval.measurements import MAX_WAITING, Measurements

POINT = Point("flat", (), "", 0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 8.0, 0.0)
VECTORS = np.eye(4, dtype=np.float32)


class Gate:
    """Stands in for faiss: a point each time it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Semaphore(0)
        self.asked: list[int] = []
        monkeypatch.setattr(measurements, "measured", self.measured)
        monkeypatch.setattr(measurements, "plan", lambda n, d: (Built("flat"),) * 3)

    def measured(self, vectors: Vectors, _questions: Vectors, built: tuple[Built, ...]) -> Iterator[Point]:
        self.asked.append(len(vectors))
        for _one in built:
            assert self.opened.acquire(timeout=10)
            yield POINT


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def load() -> tuple[Vectors, Vectors]:
    return VECTORS, VECTORS[:1]


def wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.002)


def status(of: Measurements, name: str) -> str:
    state = of.state(name)
    return "" if state is None else state.status


def test_two_readers_share_one_measurement(gate: Gate) -> None:
    made = Measurements()
    assert made.state("a") is None
    assert made.begin("a", load, "one")
    assert made.begin("a", load, "two")
    gate.opened.release(3)
    wait(lambda: status(made, "a") == "done")
    state = made.state("a")
    assert state is not None
    assert (state.points, state.n_points, state.n_vectors, state.n_questions) == ((POINT,) * 3, 3, 4, 1)
    assert gate.asked == [4]
    assert made.begin("a", load, "three")
    assert status(made, "a") == "done"


def test_the_next_one_waits_and_knows_its_place(gate: Gate) -> None:
    made = Measurements()
    for name in "abc":
        made.begin(name, load, "one")
    wait(lambda: status(made, "a") == "measuring")
    states = [made.state(name) for name in "bc"]
    assert [state and (state.status, state.position) for state in states] == [("waiting", 1), ("waiting", 2)]
    gate.opened.release(9)
    wait(lambda: status(made, "c") == "done")
    assert gate.asked == [4, 4, 4]


def test_only_the_last_who_wants_it_stops_it_and_what_is_measured_stays(gate: Gate) -> None:
    made = Measurements()
    made.begin("a", load, "one")
    made.begin("a", load, "two")
    gate.opened.release()
    wait(lambda: (state := made.state("a")) is not None and len(state.points) == 1)
    made.stop("a", "one")
    assert status(made, "a") == "measuring"
    made.stop("a", "two")
    assert status(made, "a") == "stopped"
    gate.opened.release(2)
    time.sleep(0.02)
    state = made.state("a")
    assert state is not None
    assert len(state.points) == 1
    assert made.begin("a", load, "one")
    gate.opened.release(3)
    wait(lambda: status(made, "a") == "done")


def test_too_many_are_refused(gate: Gate) -> None:
    made = Measurements()
    made.begin("first", load, "one")
    wait(lambda: status(made, "first") == "measuring")
    taken = [made.begin(str(n), load, "one") for n in range(MAX_WAITING + 2)]
    assert taken == [True] * MAX_WAITING + [False] * 2
    gate.opened.release(3 * (MAX_WAITING + 1))
    wait(lambda: status(made, str(MAX_WAITING - 1)) == "done")


def test_a_failure_is_told_and_the_next_one_runs(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> tuple[Vectors, Vectors]:
        raise RuntimeError("no vectors")

    made = Measurements()
    made.begin("bad", broken, "one")
    wait(lambda: status(made, "bad") == "failed")
    assert "no vectors" in caplog.text
    made.begin("good", load, "one")
    gate.opened.release(3)
    wait(lambda: status(made, "good") == "done")
