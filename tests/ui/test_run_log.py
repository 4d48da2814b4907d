"""The session's log of texts: each run once, also where it ends early; bounded in number and bytes."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import pytest
import streamlit as st

from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.ui import run_log
from playground.ui.run_log import MOST_BYTES, MOST_RUNS, Run, RunLog

NONE = (np.empty(0, np.int64), np.empty(0, np.float32))


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    state: dict[str, object] = {"page": "sampling"}
    monkeypatch.setattr(st, "session_state", state)
    return state


def step(index: int, text: str, finish: str | None = None) -> GenerateStep:
    return GenerateStep(
        index, index, text, text, -math.log(4), 0.25, 0, 1, index == 1, 2.0, 0.0, *NONE,
        finish_reason=finish,  # type: ignore[arg-type]
    )  # fmt: skip


def steps(closed: list[str], *texts: str) -> Generator[GenerateStep]:
    try:
        for index, text in enumerate(texts):
            yield step(index, text, "length" if index == len(texts) - 1 else None)
    finally:
        closed.append("closed")


def asked(text: str = "A", model: str = "m") -> GenerateRequest:
    return GenerateRequest(model, text)


def made(number: int, text: str = "", prompt: str = "A") -> Run:
    return Run(number, "sampling", asked(prompt), text, 2, -1.0, 0, "length", 0.0, 0.1, 0.2)


def test_a_whole_run_is_in_the_log_once() -> None:
    closed: list[str] = []
    passed = list(run_log.recorded(asked(), steps(closed, " b", " c", " d")))
    (run,) = run_log.log().runs
    assert [one.text for one in passed] == [" b", " c", " d"]
    assert (run.text, run.page, run.finish, run.n_tokens, run.n_near) == (
        " b c d",
        "sampling",
        "length",
        3,
        1,
    )
    assert run.bits == pytest.approx(2)  # each token had a probability of a quarter
    assert run.elapsed_s >= run.first_s >= 0
    assert closed == ["closed"]


def test_a_run_that_the_reader_ends_is_kept_as_far_as_it_came_and_its_model_stops() -> None:
    closed: list[str] = []
    running = run_log.recorded(asked(), steps(closed, " b", " c", " d"))
    next(running)
    running.close()
    (run,) = run_log.log().runs
    assert (run.text, run.finish, run.n_tokens) == (" b", "", 1)
    assert closed == ["closed"]


def test_a_run_without_a_token_is_none() -> None:
    list(run_log.recorded(asked(), steps([])))
    assert run_log.log().runs == ()


def test_several_runs_of_a_batch_are_each_in_the_log_with_their_own_request() -> None:
    def batch() -> Generator[tuple[int, GenerateStep]]:
        yield 1, step(0, " x")
        yield 0, step(0, " a", "end_of_text")
        yield 1, step(1, " y", "length")

    list(run_log.recorded_many([asked("A"), asked("X")], batch(), repeats=7))
    runs = run_log.log().runs
    assert [(run.request.text, run.text, run.finish, run.repeats) for run in runs] == [
        ("A", " a", "end_of_text", 7), ("X", " x y", "length", 7),
    ]  # fmt: skip


def test_an_error_of_the_engine_passes_and_keeps_what_came() -> None:
    def broken() -> Generator[GenerateStep]:
        yield step(0, " a")
        raise ValueError("out")

    with pytest.raises(ValueError, match="out"):
        list(run_log.recorded(asked(), broken()))
    assert [run.text for run in run_log.log().runs] == [" a"]


def test_ten_thousand_runs_leave_the_newest() -> None:
    log = RunLog()
    for number in range(1, 10_001):
        log.n_seen += 1
        log.add(made(number))
        log.rate(number, "up")
    assert len(log.runs) == len(log.thumbs) == MOST_RUNS
    assert (log.runs[0].number, log.runs[-1].number) == (10_001 - MOST_RUNS, 10_000)
    assert log.n_forgotten == 10_000 - MOST_RUNS
    assert log.n_bytes == sum(run.n_bytes for run in log.runs)


def test_huge_texts_are_bounded_in_bytes_and_the_last_is_kept() -> None:
    log = RunLog()
    for number in range(1, 41):
        log.add(made(number, "한" * 100_000))
    assert log.n_bytes <= MOST_BYTES
    assert log.runs[-1].number == 40
    log.add(made(41, "x" * (MOST_BYTES + 1)))
    assert [run.number for run in log.runs] == [41]


def test_a_thumb_is_taken_back_and_goes_with_its_run() -> None:
    log = RunLog()
    log.add(made(1))
    log.rate(1, "down")
    log.rate(2, "up")  # is not there
    assert log.thumbs == {1: "down"}
    log.rate(1, "")
    assert log.thumbs == {}
    log.rate(1, "up")
    log.clear()
    assert (log.runs, log.thumbs, log.n_bytes) == ((), {}, 0)
