"""Measurements of indexes that run beside the model: one thread, low priority, one answer for all readers."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from playground.core.indexes.found import Vectors
from playground.core.indexes.measured import Point, measured, n_points, plan

Status = Literal["waiting", "measuring", "done", "stopped", "failed"]
Load = Callable[[], tuple[Vectors, Vectors]]
MAX_WAITING, MAX_KEPT = 6, 64
_NICE = 10
log = logging.getLogger(__name__)
ENDED: tuple[Status, ...] = ("done", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a measurement.

    Attributes:
        status: waiting, measuring, done, stopped, failed.
        points: The points so far.
        n_points: Points there will be; 0 until it begins.
        n_vectors, n_questions: Vectors that are searched, and questions; 0 until it begins.
        position: Place in the queue, 0 while it runs.
        elapsed_s: Seconds since it began.
    """

    status: Status
    points: tuple[Point, ...]
    n_points: int
    n_vectors: int
    n_questions: int
    position: int
    elapsed_s: float


@dataclass(slots=True, eq=False)
class _Run:
    load: Load | None
    status: Status = "waiting"
    points: list[Point] = field(default_factory=list)
    n_points: int = 0
    n_vectors: int = 0
    n_questions: int = 0
    began: float = 0.0
    ended: float = 0.0
    wanted_by: set[str] = field(default_factory=set)


class Measurements:
    """The measurements of this process, by the id of the vectors; the last `MAX_KEPT` are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._is_working = False

    def state(self, name: str) -> Progress | None:
        """State of the measurement of these vectors, None if nobody has asked for it."""
        with self._lock:
            run = self._runs.get(name)
            if run is None:
                return None
            before = [other for other in self._runs.values() if other.status == "waiting"]
            position = 1 + before.index(run) if run.status == "waiting" else 0
            until = run.ended or time.monotonic()
            elapsed = until - run.began if run.began else 0.0
            return Progress(
                run.status, tuple(run.points), run.n_points, run.n_vectors, run.n_questions, position, elapsed
            )

    def begin(self, name: str, load: Load, owner: str) -> bool:
        """Ask for a measurement, or for one that another reader has asked for; False if too many wait.

        Args:
            name: Id of the vectors.
            load: Gives the vectors [n, d] and the questions [question, d], in the thread that measures.
            owner: The session.
        """
        with self._lock:
            run = self._runs.get(name)
            if run is None or run.status in ("stopped", "failed"):
                if sum(one.status == "waiting" for one in self._runs.values()) >= MAX_WAITING:
                    return False
                run = self._runs[name] = _Run(load)
                self._runs.move_to_end(name)
                self._forget()
            run.wanted_by.add(owner)
            if not self._is_working:
                self._is_working = True
                threading.Thread(target=self._work, name="index-measurements", daemon=True).start()
            return True

    def stop(self, name: str, owner: str) -> None:
        """Stop it within a point, if no other reader wants it."""
        with self._lock:
            run = self._runs.get(name)
            if run is None or run.status in ENDED:
                return
            run.wanted_by.discard(owner)
            if not run.wanted_by:
                run.status, run.load = "stopped", None

    def _forget(self) -> None:
        ended = [name for name, run in self._runs.items() if run.status in ENDED]
        for name in ended[: max(0, len(self._runs) - MAX_KEPT)]:
            del self._runs[name]

    def _work(self) -> None:
        if sys.platform == "linux":  # elsewhere a priority belongs to the whole process
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            with self._lock:
                waiting = [run for run in self._runs.values() if run.status == "waiting"]
                if not waiting:
                    self._is_working = False
                    return
                run = waiting[0]
                run.status, run.began, load, run.load = "measuring", time.monotonic(), run.load, None
            status: Status = "failed"
            try:
                if load is not None:
                    self._measure(run, load)
                    status = "done"
            except Exception:  # the next one is measured all the same
                log.exception("A measurement of indexes failed")
            with self._lock:
                run.ended = time.monotonic()
                if run.status == "measuring":
                    run.status = status

    def _measure(self, run: _Run, load: Load) -> None:
        vectors, questions = load()
        built = plan(*vectors.shape)
        with self._lock:
            run.n_points, run.n_vectors, run.n_questions = n_points(built), len(vectors), len(questions)
        for point in measured(vectors, questions, built):
            with self._lock:
                if run.status != "measuring":
                    return
                run.points.append(point)
