"""A class on a server, watched; then the same on the stock peer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.class_of_thirty import servers, stock_actions
from benchmarks.class_of_thirty.actions import Book, book
from benchmarks.class_of_thirty.lesson import lesson, plans
from benchmarks.class_of_thirty.processes import Look, Watch
from benchmarks.class_of_thirty.records import Class
from benchmarks.load_client import Reader

SETTLE_S = 5.0  # after the class, before its memory is read
IDLE_S = 1.0
LATE_S = 10.0  # of the person's browser, after the end of the class
N_GROUPS, N_IDLE = 4, 20


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured.

    Attributes:
        minutes, readers, seed, think_s: The class.
        n_steps: Steps of a training.
        url, pid: A server that runs already, "" = one is started; its process, 0 = it is not watched.
        server_args: Options of the server that is started.
        kill_after_s, kill_pattern: Seconds after which a process of the server's is killed, 0 = never.
        with_peer: The same class on the stock peer too.
        with_person: The class is held once more with a real Chromium among the students, which shares the
            processor with the server.
    """

    minutes: float = 5.0
    readers: int = 30
    seed: int = 1
    think_s: float = 12.0
    n_steps: int = 12
    url: str = ""
    pid: int = 0
    server_args: tuple[str, ...] = ()
    kill_after_s: float = 0.0
    kill_pattern: str = ""
    with_peer: bool = False
    with_person: bool = False


@dataclass
class Side:
    """One class on one server.

    Attributes:
        of: What the students met.
        looks: The server's processes, second by second; empty where it was not watched.
        after: The processes once all had left; None likewise.
        log: What the server wrote.
        client_cpu_s: Processor seconds of the students themselves.
        killed: The process that was killed.
        idle_bytes: Memory of an idle session; None where not measured.
        person: What a person saw in a real browser, in the class that was held once more: (page, seconds,
            None where nothing came).
        is_warm: Every page had been opened before.
        failure: Reason why the class did not come to its end, "" = it did.
    """

    of: Class = field(default_factory=Class)
    looks: list[Look] = field(default_factory=list)
    after: Look | None = None
    log: str = ""
    client_cpu_s: float = 0.0
    killed: str = ""
    idle_bytes: float | None = None
    person: list[tuple[str, float | None]] = field(default_factory=list)
    is_warm: bool = True
    failure: str = ""

    @property
    def n_tracebacks(self) -> int:
        """Tracebacks in the server's log."""
        return self.log.count("Traceback (most recent call last)")


@dataclass
class Found:
    """Everything that was measured.

    Attributes:
        options: What was asked for.
        ours, peer: The class on our server, and on the peer.
        load_before: Load of the machine in the minute before: above 0.5 something else was running.
    """

    options: Options
    ours: Side
    peer: Side | None = None
    load_before: float = 0.0

    @property
    def is_clean(self) -> bool:
        """True if nobody lost a text, saw another's, or met an error."""
        side = self.ours
        return not (side.of.lost or side.of.strayed or side.of.errors or side.n_tracebacks or side.failure)


def measure(options: Options) -> Found:
    """The class on our server, and on the peer where that is asked for."""
    books = book(options.n_steps)
    ours, load = Side(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        if options.url:
            watch = Watch(options.pid) if options.pid else None
            _class(options, ours, options.url, books, watch, with_person=options.with_person)
        else:
            _served(options, ours, servers.ours(options.server_args, Path(folder)), books)
            if options.with_person:
                again = Side()
                _served(
                    options, again, servers.ours(options.server_args, Path(folder)), books, with_person=True
                )
                ours.person = again.person
    found = Found(options, ours, load_before=load)
    if options.with_peer:
        found.peer = Side()
        _served(options, found.peer, servers.stock(), stock_actions.book(options.n_steps), is_peer=True)
    return found


def _served(
    options: Options,
    side: Side,
    server: servers.Served,
    books: Mapping[str, Book],
    *,
    is_peer: bool = False,
    with_person: bool = False,
) -> None:
    with server:
        if not is_peer:
            server.wait_ready()
        try:
            if not is_peer:
                side.idle_bytes = idle_session_bytes(server.url, server.process.pid)
            first = next(iter(books))
            side.is_warm = servers.warm(server.url, ["" if page == first else page for page in books])
            watch = Watch(server.process.pid, server.tag, server.report)
            _class(options, side, server.url, books, watch, is_peer=is_peer, with_person=with_person)
        except (OSError, RuntimeError, LookupError, TimeoutError) as error:
            side.failure = f"{type(error).__name__}: {error}"[:500]
        side.log = server.log()


def _class(
    options: Options,
    side: Side,
    url: str,
    books: Mapping[str, Book],
    watch: Watch | None,
    *,
    is_peer: bool = False,
    with_person: bool = False,
) -> None:
    lasts_s = options.minutes * 60
    todo = plans(
        url, books, readers=options.readers, lasts_s=lasts_s, think_s=options.think_s, seed=options.seed
    )
    before = _own_cpu_s()
    if watch is None:
        side.of = asyncio.run(lesson(todo, lasts_s))
    else:
        with watch:
            if is_peer:
                side.of = asyncio.run(lesson(todo, lasts_s))
            else:
                with _killer(options, side, watch), _person(options, side, url, wanted=with_person):
                    side.of = asyncio.run(lesson(todo, lasts_s))
            time.sleep(SETTLE_S)
            side.after = watch.look()
        side.looks = watch.looks
    side.client_cpu_s = _own_cpu_s() - before


@contextmanager
def _killer(options: Options, side: Side, watch: Watch) -> Iterator[None]:
    if not options.kill_after_s:
        yield
        return

    def kill() -> None:
        side.killed = watch.kill_one(options.kill_pattern) or "nothing matched"

    timer = threading.Timer(options.kill_after_s, kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _person(options: Options, side: Side, url: str, *, wanted: bool) -> Iterator[None]:
    """Somebody in a Chromium of his own process, while the others are there."""
    if not wanted:
        yield
        return
    module = "benchmarks.class_of_thirty.person"
    command = [sys.executable, "-m", module, url, str(options.minutes * 60), str(options.seed)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, start_new_session=True)
        try:
            yield
            with suppress(subprocess.TimeoutExpired):
                process.wait(LATE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and its browser
            process.wait()
        said.seek(0)
        side.person = [(page, seconds) for page, seconds in map(json.loads, said)]


def _own_cpu_s() -> float:
    return float(sum(psutil.Process().cpu_times()[:2]))


def idle_session_bytes(url: str, pid: int) -> float:
    """Resident memory of one more session that opened the first page and then does nothing.

    The first of four groups pays for what all share.
    """

    async def open_groups() -> float:
        own, opened, sizes = psutil.Process(pid), [], []
        for _group in range(N_GROUPS):
            group = [Reader(url, "", "lang=en") for _number in range(N_IDLE)]
            await asyncio.gather(*(one.__aenter__() for one in group))
            opened += group
            await asyncio.sleep(IDLE_S)
            sizes.append(own.memory_info().rss)
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in opened))
        return float(sizes[-1] - sizes[0]) / (N_IDLE * (N_GROUPS - 1))

    return asyncio.run(open_groups())
