"""The server's processes seen from outside: memory, threads, descriptors; and one of them killed."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

EVERY_S = 1.0
FAMILY_EVERY_S = 10.0
TAG = "CLASS_OF_THIRTY_TAG"  # in the environment of the server and of all that it starts, however detached
LOST = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


@dataclass(frozen=True, slots=True)
class Look:
    """The processes at one moment.

    Attributes:
        at_s: Seconds from the beginning of the watch.
        rss_bytes: Resident memory of the server's own process.
        all_bytes: That of it and of all it started.
        n_threads, n_files: Threads and open descriptors of its own process.
        cpu_s: Processor seconds of all of them so far.
        cache_bytes: Bytes in the engine's cache, -1 where the server does not report.
        cache_limit_bytes: The cache's budget, -1 likewise.
    """

    at_s: float
    rss_bytes: int
    all_bytes: int
    n_threads: int
    n_files: int
    cpu_s: float
    cache_bytes: int = -1
    cache_limit_bytes: int = -1


@dataclass
class Watch:
    """Look at a server every second, from another thread.

    Attributes:
        pid: The server's process.
        tag: Value of `TAG` in its environment, "" = only its descendants are looked at.
        report: File that `watched_server` writes, None for a server of somebody else.
        looks: Every look.
        stats: The engine's counters at the last look.
    """

    pid: int
    tag: str = ""
    report: Path | None = None
    looks: list[Look] = field(default_factory=list)
    stats: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Watch:
        self._began, self._ended = time.monotonic(), threading.Event()
        self._family, self._known_at = self.family(), time.monotonic()
        self.looks.append(self.look())
        self._thread = threading.Thread(target=self._go_on, name="class-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def family(self) -> list[psutil.Process]:
        """All that the server started and that still run, oldest first."""
        found = {one.pid: one for one in psutil.Process(self.pid).children(recursive=True)}
        for one in psutil.process_iter() if self.tag else ():
            with suppress(*LOST):
                if one.environ().get(TAG) == self.tag and one.pid != self.pid:
                    found[one.pid] = one
        return sorted(found.values(), key=lambda process: (process.create_time(), process.pid))

    def kill_one(self, pattern: str) -> str:
        """Kill the oldest of the family whose command line matches, at once; the line, "" where none does."""
        for one in self.family():
            with suppress(*LOST):
                line = " ".join(one.cmdline())
                if re.search(pattern, line):
                    one.kill()
                    return f"{one.pid} {line}"[:200]
        return ""

    def look(self) -> Look:
        """The processes now."""
        if time.monotonic() - self._known_at > FAMILY_EVERY_S:
            self._family, self._known_at = self.family(), time.monotonic()
        own = psutil.Process(self.pid)
        if self.report is not None and self.report.exists():
            self.stats = json.loads(self.report.read_text("utf-8"))
        rss = own.memory_info().rss
        return Look(
            at_s=time.monotonic() - self._began,
            rss_bytes=rss,
            all_bytes=rss + int(self._sum(lambda process: process.memory_info().rss)),
            n_threads=own.num_threads(),
            n_files=own.num_fds(),
            cpu_s=sum(own.cpu_times()[:2]) + self._sum(lambda process: sum(process.cpu_times()[:2])),
            cache_bytes=self.stats.get("cache_bytes", -1),
            cache_limit_bytes=self.stats.get("cache_limit_bytes", -1),
        )

    def _sum(self, of: Callable[[psutil.Process], float]) -> float:
        total = 0.0
        for one in self._family:
            with suppress(*LOST):
                total += of(one)
        return total

    def _go_on(self) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                self.looks.append(self.look())
            except LOST:
                return
