"""The time a job still takes is measured: on the job itself, before that on the last one of its kind."""

from __future__ import annotations

import time

import pytest
import streamlit as st

from playground.ui import progress
from playground.ui.progress import Progress, left

MODEL = "tiny/llama"


class Bar:
    def __init__(self) -> None:
        self.drawn: list[tuple[float, str]] = []

    def progress(self, share: float, words: str) -> Bar:
        self.drawn.append((share, words))
        return self


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Bar:
    made = Bar()
    monkeypatch.setattr(st, "progress", made.progress)
    monkeypatch.setattr(progress, "_measured", {})
    return made


def run(
    clock: list[float], s_a_part: float, n: int, *, total: int = 10, model: str = MODEL, done: int = 0
) -> None:
    job = Progress("sweep", model, total, "begun", done)
    for at in range(done + 1, n + 1):
        clock[0] += s_a_part
        job.draw(at, f"{at} of {total}")


def test_the_first_job_says_nothing_until_a_part_is_measured(clock: list[float], bar: Bar) -> None:
    run(clock, 3.0, 3)
    assert bar.drawn == [
        (0.0, "begun"),
        (0.1, "1 of 10 · about 27 s left"),
        (0.2, "2 of 10 · about 24 s left"),
        (0.3, "3 of 10 · about 21 s left"),
    ]


def test_the_next_job_begins_with_what_the_last_one_took(clock: list[float], bar: Bar) -> None:
    run(clock, 3.0, 10)
    assert bar.drawn[-1] == (1.0, "10 of 10"), "nothing is left"
    bar.drawn.clear()
    run(clock, 6.0, 1, total=5, model=MODEL)
    assert bar.drawn == [(0.0, "begun · about 15 s left"), (0.2, "1 of 5 · about 24 s left")]


def test_another_model_and_another_kind_are_measured_apart(clock: list[float], bar: Bar) -> None:
    run(clock, 3.0, 10)
    bar.drawn.clear()
    run(clock, 3.0, 0, model="tiny/gpt2")
    Progress("orders", MODEL, 10, "begun")
    assert bar.drawn == [(0.0, "begun")] * 2


def test_what_an_earlier_run_has_done_takes_no_time_now(clock: list[float], bar: Bar) -> None:
    run(clock, 4.0, 7, done=5)
    assert bar.drawn == [
        (0.5, "begun"),
        (0.6, "6 of 10 · about 16 s left"),
        (0.7, "7 of 10 · about 12 s left"),
    ]


def test_a_job_without_parts_is_done(bar: Bar) -> None:
    Progress("sweep", MODEL, 0, "begun")
    assert bar.drawn == [(1.0, "begun")]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (1.9, ""), (2.4, "about 2 s left"), (89, "about 89 s left"), (150, "about 2 min left")],
)
def test_times_are_said_as_people_say_them(seconds: float | None, words: str) -> None:
    assert left(seconds) == words
