"""The simulated class: a short lesson on the real server, and what its harness sees and counts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.class_of_thirty import figures
from benchmarks.class_of_thirty.actions import PAGES, book
from benchmarks.class_of_thirty.lesson import lesson, plans
from benchmarks.class_of_thirty.measure import Found, Options, Side
from benchmarks.class_of_thirty.processes import TAG, Look, Watch
from benchmarks.class_of_thirty.records import Class, Record
from benchmarks.class_of_thirty.report import in_words
from benchmarks.class_of_thirty.student import Plan, is_lost
from benchmarks.class_of_thirty.tab import Tab, mark
from benchmarks.class_of_thirty.targets import rows
from benchmarks.live_server import LiveServer
from playground import navigation

KINDS = {"page", "sentence", "setting", "panel", "generate", "sweep", "training", "run", "reload"}
DEEDS = {  # the page on which a student begins, and what she does there and elsewhere
    "home": ("sentence", "reload", "setting"),
    "attention": ("panel", "sentence", "close"),
    "sampling": ("generate", "reload", "sentence"),
    "prompting": ("close", "sentence"),  # in the middle of a sweep: it is all that the page offers here
    "finetuning": ("training",),
    "evaluation": ("run", "sentence"),
}
AT_MOST_S, THINK_S, N_STEPS = 500.0, 0.2, 2


def _plans(url: str) -> list[Plan]:
    """Students who together do everything there is, the last one on a slow line."""
    books = {name: one for name, one in book(N_STEPS).items() if name in DEEDS}
    only_sweep = tuple(one for one in books["prompting"].actions if one.kind == "sweep")
    books["prompting"] = replace(books["prompting"], actions=only_sweep)
    return [
        Plan(
            number, 1, url, books, {float(at): deed for at, deed in enumerate(deeds)}, THINK_S,
            pause_s=0.01 if number == len(DEEDS) - 1 else 0.0, only_deeds=True, patience_s=AT_MOST_S,
        )
        for number, deeds in enumerate(DEEDS.values())
    ]  # fmt: skip


@pytest.mark.real
def test_a_short_class_loses_and_mixes_up_nothing(live: LiveServer) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop in the one of the tests
        of = thread.submit(asyncio.run, lesson(_plans(live.url), AT_MOST_S)).result()
    assert [one.error for one in of.errors] == []
    assert of.lost == []
    assert of.strayed == []
    assert {one.kind for one in of.records} - {"rest"} == KINDS
    assert (of.n_closed, of.n_reloaded, of.slow) == (2, 2, 5)
    assert [one.cut for one in of.records if one.kind in ("sweep", "training")] == ["closed", ""]
    assert {one.student for one in of.records} == set(range(len(DEEDS)))
    assert "Traceback" not in live.log()


def test_the_class_goes_to_every_page() -> None:
    assert list(PAGES) == list(navigation.BY_NAME)


def test_everybody_begins_somewhere_and_the_deeds_of_row_3_are_planned() -> None:
    todo = plans("http://127.0.0.1:1", book(12), readers=30, lasts_s=300, think_s=12, seed=1)
    deeds = [deed for plan in todo for deed in plan.at.values()]
    assert {deed: deeds.count(deed) for deed in set(deeds)} == {
        "training": 7,
        "sweep": 5,
        "reload": 5,
        "close": 5,
    }
    assert [plan.student for plan in todo if plan.pause_s] == [29]
    assert [plan.at for plan in plans("", book(12), readers=30, lasts_s=300, think_s=12, seed=1)] == [
        plan.at for plan in todo
    ]


# --- what is seen


def test_the_mark_of_another_is_seen_wherever_it_stands() -> None:
    tab = Tab(7, "http://127.0.0.1:1", "", "", "", 0.0)
    tab.look_at(f"…{mark(7)} wrote".encode())
    assert tab.strangers == set()
    tab.look_at(b"\x12\x07" + f"“{mark(12)}”".encode() + b"\x00")
    assert tab.strangers == {12}
    assert tab.n_messages == 2


def test_a_lost_text_is_told_from_one_that_stands() -> None:
    assert is_lost("mine", "The capital of England is") == "“The capital of England is” for “mine”"
    assert (
        is_lost("mine", "mine") == is_lost(None, "The capital of England is") == is_lost("mine", None) == ""
    )


# --- the server's processes


def _asleep(name: str, tag: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import time; time.sleep(60)", name]
    return subprocess.Popen(command, env={**os.environ, TAG: tag}, start_new_session=True)


def test_only_a_process_of_the_servers_own_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as server:
        ours, other, foreign = _asleep("replica", "t1"), _asleep("head", "t1"), _asleep("replica", "t2")
        try:
            with Watch(server.pid, "t1") as watch:
                assert {one.pid for one in watch.family()} == {ours.pid, other.pid}
                assert str(ours.pid) in watch.kill_one("replica")
                assert watch.kill_one("no such thing") == ""
            assert ours.wait(10) == -signal.SIGKILL
            assert (other.poll(), foreign.poll(), server.poll()) == (None, None, None)
            assert watch.looks[0].all_bytes > watch.looks[0].rss_bytes > 0
            assert watch.looks[0].cache_bytes == -1
        finally:
            for one in (ours, other, foreign, server):
                one.kill()
                one.wait()


# --- what is counted


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_percentiles_are_numpys(n: int) -> None:
    values = np.random.default_rng(n).exponential(size=n)
    for share in (0.0, 0.5, 0.95, 1.0):
        assert figures.percentile(list(values), share) == pytest.approx(np.percentile(values, 100 * share))


def test_jains_index_is_that_of_its_paper() -> None:
    assert figures.jain([3.0] * 5) == pytest.approx(1.0)
    assert figures.jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert figures.jain([1.0, 2.0, 3.0]) == pytest.approx(36 / (3 * 14))


def test_service_compares_each_with_what_all_wait_for_the_same() -> None:
    records = [
        Record(0, "home", "sentence", "sentence", 0.0, first_s=1.0),
        Record(1, "home", "sentence", "sentence", 0.0, first_s=3.0),
        Record(1, "home", "the other columns", "rest", 0.0, first_s=99.0),
    ]
    assert figures.service(records) == {0: pytest.approx(2.0), 1: pytest.approx(2 / 3)}


def test_a_wait_that_was_cut_counts_as_long_as_it_lasted() -> None:
    over = Record(0, "home", "sentence", "sentence", 0.0, done_s=40.0, cut="over")
    closed = Record(0, "home", "sentence", "sentence", 0.0, done_s=40.0, cut="closed")
    drawn = Record(0, "home", "sentence", "sentence", 0.0, first_s=2.0, done_s=40.0, cut="over")
    assert (over.wait_s, closed.wait_s, drawn.wait_s) == (40.0, None, 2.0)


def _side(wait_s: float, rss: int) -> Side:
    records = [Record(n % 30, "home", "sentence", "sentence", 0.0, wait_s, wait_s) for n in range(100)]
    records.append(Record(1, "finetuning", "training", "training", 0.0, 1.0, 120.0))
    records.append(Record(2, "inside", "sentence", "sentence", 0.0, 7.0, 7.0))
    records.append(Record(3, "positions", "sentence", "sentence", 0.0, 1.0, 1.0))
    looks = [Look(0.0, 1_000, 1_000, 9, 9, 0.0, 10, 100), Look(1.0, rss, rss, 9, 9, 1.0, 90, 100)]
    return Side(of=Class(records=records), looks=looks, after=looks[1], idle_bytes=2**20)


def test_every_target_is_judged_by_its_figure() -> None:
    found = Found(Options(with_peer=True), _side(1.0, 1_200), _side(11.0, 1_000))
    assert [one["metric"] for one in rows(found) if not one["ok"]] == []
    assert rows(found)[0]["ratio"] == pytest.approx(11.0)
    slow = Found(Options(with_peer=True), _side(4.0, 1_400), _side(11.0, 1_000))
    slow.ours.of.lost.append("one")
    missed = {one["metric"].removeprefix("class: ") for one in rows(slow) if not one["ok"]}
    assert missed == {
        "p95 over all actions", "new sentence, p95", "lost texts", "RSS after the class by RSS before",
    }  # fmt: skip
    assert "missed" in in_words(slow)
    assert not slow.is_clean
