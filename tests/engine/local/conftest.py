"""Engines in which one place is made to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from playground.engine.decoding.batch import DecodeBatch
from playground.engine.decoding.row import DecodeRow
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import Job
from playground.settings import Settings
from tests import tiny
from tests.engine.local.faulty import (
    FORWARDS,
    Bench,
    numbers,
)
from tests.engine.training.learning import run_of, trained


@pytest.fixture(scope="module", params=[tiny.LLAMA, tiny.GPT2])
def benches(request: pytest.FixtureRequest, tiny_settings: Settings) -> Iterator[Bench]:
    settings = tiny_settings.model_copy(update={"cache_bytes": 0, "prefill_chunk_tokens": 8})
    engine = LocalEngine(settings)
    adapter = trained(
        engine, run_of(1, request.param, n_steps=3, learning_rate=0.05, owner="teacher")
    ).adapter
    assert adapter
    gate = threading.Event()
    gate.set()
    real = engine._scheduler.next_batch

    def next_batch() -> list[Job]:
        gate.wait(10)
        return real()

    engine._scheduler.next_batch = next_batch  # type: ignore[method-assign]
    yield Bench(engine, request.param, gate, [], adapter)
    assert engine._thread.is_alive(), "no error has ended the engine's thread"
    engine.close()


@pytest.fixture(scope="module")
def expected(benches: Bench) -> list[list[int]]:
    """The tokens of the seven, one after another."""
    return [benches.written(request) for request in benches.generations()]


@pytest.fixture
def bench(benches: Bench, expected: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The bench, with the rows known that the batch is working on."""

    def knowing(name: str, rows_of: Callable[..., Sequence[DecodeRow]]) -> None:
        real = getattr(DecodeBatch, name)

        def known(self: DecodeBatch, *args: Any) -> object:
            benches.touched = list(rows_of(self, *args))
            return real(self, *args)

        monkeypatch.setattr(DecodeBatch, name, known)

    knowing("admit", lambda _batch, rows: rows)
    knowing("read", lambda batch: batch._prefill.rows)
    knowing("step", lambda batch: batch.rows)
    knowing("sweep", lambda batch: [row for row in batch.rows if row.finished])
    return benches


@pytest.fixture(scope="module")
def wanted(benches: Bench) -> list[list[Any]]:
    """What the forwards give, one after another."""
    return [numbers(benches, asked) for asked in FORWARDS]
