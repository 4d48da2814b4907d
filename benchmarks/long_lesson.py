"""`python -m benchmarks.long_lesson --minutes 10`: hours of a class without its pauses, lesson after lesson.

The students of `class_of_thirty` act without thinking; after each lesson all leave, and what they left behind
is counted: resident memory, threads, descriptors, sockets, sessions, objects. The first half warms up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.class_of_thirty import servers
from benchmarks.class_of_thirty.actions import book
from benchmarks.class_of_thirty.lesson import lesson, plans
from benchmarks.class_of_thirty.processes import Look, Watch
from benchmarks.class_of_thirty.records import Class
from benchmarks.load_client import Reader

GRACE_S = 2.0  # of a session without a connection, so that lessons end as classes do
QUICKLY_S = 0.01  # between two actions
USUAL_S = 12.0  # between two actions of somebody who thinks
CUT_S = 60.0  # after the end of a lesson
SETTLE_S = 3.0
PATIENCE_S = 60.0
MOST_GROWTH = 0.05  # of resident memory in the second half


@dataclass(frozen=True, slots=True)
class Left:
    """A server that everybody has left.

    Attributes:
        at_s: Seconds from the beginning of the watch.
        rss_bytes: Resident memory.
        n_threads, n_files, n_sockets: Threads, open descriptors, and those of them that are sockets.
        n_sessions, n_asleep: Sessions, connected and not.
        n_objects: Objects that the collector finds alive.
        cache_bytes, cache_limit_bytes: The engine's cache.
    """

    at_s: float
    rss_bytes: int
    n_threads: int
    n_files: int
    n_sockets: int
    n_sessions: int
    n_asleep: int
    n_objects: int
    cache_bytes: int
    cache_limit_bytes: int


@dataclass
class Found:
    """All lessons.

    Attributes:
        left: The server before the first lesson and after each.
        looks: The server second by second.
        lessons: What the students met in each.
        log: What the server wrote.
    """

    left: list[Left] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    lessons: list[Class] = field(default_factory=list)
    log: str = ""

    @property
    def n_actions(self) -> int:
        """Actions of all students."""
        return sum(len(of.records) for of in self.lessons)

    @property
    def n_tracebacks(self) -> int:
        """Tracebacks in the log."""
        return self.log.count("Traceback (most recent call last)")

    @property
    def growth(self) -> float:
        """Share by which resident memory grew in the second half of the lessons, by a straight line."""
        half = self.left[len(self.left) // 2 :]
        if len(half) < 2:
            return 0.0
        rss = np.array([one.rss_bytes for one in half], float)
        slope = np.polyfit(np.arange(len(half)), rss, 1)[0]
        return float(slope * (len(half) - 1) / rss[0])

    @property
    def troubles(self) -> list[str]:
        """Everything that must not be, in words."""
        first, last = self.left[len(self.left) // 2], self.left[-1]
        found = [f"{of.errors[0].page}: {of.errors[0].error}" for of in self.lessons if of.errors]
        found += [told for of in self.lessons for told in (*of.lost, *of.strayed)]
        if self.n_tracebacks:
            found.append(f"{self.n_tracebacks} tracebacks")
        if self.growth > MOST_GROWTH:
            found.append(f"resident memory grew by {self.growth:.1%} in the second half")
        for name in ("n_threads", "n_files", "n_sockets", "n_sessions", "n_asleep"):
            if getattr(last, name) > getattr(first, name):
                found.append(f"{name}: {getattr(first, name)} -> {getattr(last, name)}")
        if any(look.cache_bytes > look.cache_limit_bytes for look in self.looks if look.cache_bytes >= 0):
            found.append("the cache went over its budget")
        return found


def hold(
    *, minutes: float, lessons: int, readers: int, n_steps: int, pages: Sequence[str], cut_s: float
) -> Found:
    """As `hold_on`, on a server of our own."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"PLAYGROUND_SESSION_GRACE_S": str(GRACE_S)}
        with servers.ours((), Path(folder), env) as server:
            server.wait_ready()
            with Watch(server.process.pid, server.tag, server.report) as watch:
                return hold_on(
                    server, watch, minutes=minutes, lessons=lessons, readers=readers, n_steps=n_steps,
                    pages=pages, cut_s=cut_s,
                )  # fmt: skip


def hold_on(
    server: servers.Served,
    watch: Watch,
    *,
    minutes: float,
    lessons: int,
    readers: int,
    n_steps: int,
    pages: Sequence[str] = (),
    cut_s: float = CUT_S,
) -> Found:
    """Lessons one after another.

    Args:
        server: The server, which forgets sessions after `GRACE_S`.
        watch: Its processes.
        minutes: Of all lessons together.
        lessons: Number of lessons.
        readers: Students of each.
        n_steps: Steps of a training.
        pages: Pages that are used; all if empty.
        cut_s: Seconds after the end of a lesson until what goes on is cut.
    """
    books = {name: one for name, one in book(n_steps).items() if not pages or name in pages}
    lasts_s, found = minutes * 60 / lessons, Found([left(server, watch)])
    for number in range(lessons):
        todo = plans(server.url, books, readers=readers, lasts_s=lasts_s, think_s=QUICKLY_S, seed=number)
        found.lessons.append(asyncio.run(lesson(todo, lasts_s, cut_s)))
        found.left.append(left(server, watch))
        _tell(found)
    found.looks, found.log = watch.looks, server.log()
    return found


def left(server: servers.Served, watch: Watch) -> Left:
    """The server once everybody has left and their sessions are over."""
    assert server.report is not None
    time.sleep(GRACE_S + SETTLE_S)
    asyncio.run(_visit(server.url))  # who comes sees to it that those who left are forgotten
    time.sleep(GRACE_S + 1)
    asyncio.run(_visit(server.url))
    asked = server.report.with_suffix(".count")
    asked.touch()
    until = time.monotonic() + PATIENCE_S
    while asked.exists():
        if time.monotonic() > until:
            raise TimeoutError("the server does not count")
        time.sleep(0.1)
    look, own = watch.look(), psutil.Process(server.process.pid)
    return Left(
        at_s=look.at_s,
        rss_bytes=look.rss_bytes,
        n_threads=look.n_threads,
        n_files=look.n_files,
        n_sockets=len(own.net_connections("all")),
        n_sessions=watch.stats["n_sessions"],
        n_asleep=watch.stats["n_asleep"],
        n_objects=watch.stats["n_objects"],
        cache_bytes=look.cache_bytes,
        cache_limit_bytes=look.cache_limit_bytes,
    )


async def _visit(url: str) -> None:
    async with Reader(url, "", "lang=en"):
        pass


HEAD = "lesson   at s  actions  RSS MB  threads  files  sockets  sessions  asleep  objects  cache MB"


def _tell(found: Found) -> None:
    """The last lesson as a line of the table."""
    if len(found.lessons) == 1:
        print(HEAD, file=sys.stderr)
        print(_line(0, 0, found.left[0]), file=sys.stderr)
    number = len(found.lessons)
    print(_line(number, len(found.lessons[-1].records), found.left[-1]), file=sys.stderr, flush=True)


def _line(number: int, n_actions: int, one: Left) -> str:
    counts = f"{one.n_threads:8} {one.n_files:6} {one.n_sockets:8} {one.n_sessions:9} {one.n_asleep:7}"
    memory = f"{one.n_objects:8} {one.cache_bytes / 1e6:9.1f}"
    return f"{number:6} {one.at_s:6.0f} {n_actions:8} {one.rss_bytes / 1e6:7.0f} {counts} {memory}"


def in_words(found: Found, readers: int) -> str:
    """The report."""
    hours = found.n_actions * USUAL_S / readers / 3600
    peak = max(look.rss_bytes for look in found.looks) / 1e6
    lines = [
        f"{found.n_actions:,} actions of {readers} students, as many as in {hours:.1f} hours of a class that "
        f"thinks {USUAL_S:.0f} s before each.",
        f"Resident memory grew by {found.growth:+.2%} in the second half; {peak:,.0f} MB at most.",
        f"{found.n_tracebacks} tracebacks, {sum(len(of.errors) for of in found.lessons)} errors.",
        *(found.troubles or ["Nothing is left behind."]),
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Hold the lessons, print what they leave behind; 1 if that is anything."""
    parser = argparse.ArgumentParser("python -m benchmarks.long_lesson", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of all lessons together")
    parser.add_argument("--lessons", type=int, default=6)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--steps", type=int, default=3, help="steps of a training")
    parser.add_argument("--pages", default="", help="names of pages, with commas; all if empty")
    parser.add_argument("--cut", type=float, default=CUT_S, help="seconds after a lesson for what goes on")
    given = parser.parse_args(arguments)
    found = hold(
        minutes=given.minutes,
        lessons=given.lessons,
        readers=given.readers,
        n_steps=given.steps,
        pages=tuple(filter(None, given.pages.split(","))),
        cut_s=given.cut,
    )
    print(in_words(found, given.readers))
    return 1 if found.troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
