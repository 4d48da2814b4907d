"""A class that has left leaves nothing behind, after 200 reconnects and after lessons without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.class_of_thirty.processes import Watch
from benchmarks.class_of_thirty.servers import Served, ours
from benchmarks.load_client import Reader
from benchmarks.long_lesson import GRACE_S, Left, hold_on, left

PAGES = ("home", "tokenization", "attention", "sampling", "classroom")
N_RECONNECTS = 200
MOST_GROWTH = 1.15  # of resident memory: a lesson of half a minute has only begun to warm up

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Watch]]:
    """A server whose engine tells its counters, and which forgets who left after two seconds."""
    env = {"PLAYGROUND_SESSION_GRACE_S": str(GRACE_S)}
    with ours((), tmp_path_factory.mktemp("watched"), env) as server:
        server.wait_ready()
        with Watch(server.process.pid, server.tag, server.report) as watch:
            yield server, watch


def check(before: Left, after: Left) -> None:
    """Everything that is counted is back where it was."""
    for name in ("n_threads", "n_files", "n_sockets", "n_sessions", "n_asleep"):
        assert getattr(after, name) <= getattr(before, name), name
    assert after.cache_bytes <= after.cache_limit_bytes
    assert after.rss_bytes <= MOST_GROWTH * before.rss_bytes


async def reconnect(url: str, n: int) -> None:
    """Tabs whose line breaks again and again: each comes back as the session it was, some run their page."""
    for number in range(n):
        if number % 20 == 0:
            async with Reader(url, "classroom", "lang=en") as reader:
                session = _session_of(reader)
            continue
        tab = Reader(url, "classroom", "lang=en", again=session)
        await tab.connect()
        if number % 10 == 5:
            await tab.rerun()
        if number % 2:
            await tab.close()
        else:
            tab.break_off()


def _session_of(reader: Reader) -> str:
    assert reader.session_id
    return reader.session_id


def test_200_reconnects_leave_nothing_behind(watched: tuple[Served, Watch]) -> None:
    server, watch = watched
    asyncio.run(reconnect(server.url, 20))
    before = left(server, watch)
    asyncio.run(reconnect(server.url, N_RECONNECTS))
    check(before, left(server, watch))
    assert "Traceback" not in server.log()


def test_lessons_without_a_pause_leave_nothing_behind(watched: tuple[Served, Watch]) -> None:
    """The long one is `python -m benchmarks.long_lesson`."""
    server, watch = watched
    found = hold_on(server, watch, minutes=0.2, lessons=2, readers=4, n_steps=1, pages=PAGES, cut_s=3)
    assert found.n_actions > 0
    assert not [told for of in found.lessons for told in (*of.lost, *of.strayed)]
    assert not [one.error for of in found.lessons for one in of.errors if not one.cut]
    assert found.n_tracebacks == 0
    check(found.left[1], found.left[2])
