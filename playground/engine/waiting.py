"""A caller's wait for the model thread: one queue for all jobs of a request."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.engine.base import OnWait, Waiting
from playground.engine.scheduler import DONE, Job, Scheduler
from playground.errors import TimedOut

POLL_S = 0.1
Sent = queue.SimpleQueue[tuple[int, object]]


class Asks(Protocol):
    """What every request has."""

    @property
    def request_id(self) -> str:
        """For `cancel`."""

    @property
    def owner(self) -> str:
        """The session that asks."""

    @property
    def topic(self) -> str:
        """What it is for."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Outbox of one job of a request."""

    row: int
    sent: Sent

    def put(self, value: object, /) -> None:
        self.sent.put((self.row, value))


def results_of(
    scheduler: Scheduler, request: Asks, jobs: Sequence[Job], timeout_s: float, on_wait: OnWait | None
) -> Iterator[tuple[int, object]]:
    """(which of the jobs, what the model thread sent), until all are done.

    Leaving early takes the request back; the first error ends all of it.

    Args:
        scheduler: Where the jobs are queued.
        request: Who asks, for what.
        jobs: At least one.
        timeout_s: Longest silence.
        on_wait: Told where the last of them stands and how long nothing has come, about ten times a second.
    """
    heard, sent = time.monotonic(), Sent()
    try:
        tickets = [
            scheduler.submit(
                job,
                request_id=f"{request.request_id}.{row}",
                owner=request.owner,
                topic=request.topic,
                outbox=_Row(row, sent),
                request=request.request_id,
            )
            for row, job in enumerate(jobs)
        ]
        n_open = len(jobs)
        while n_open:
            try:
                row, value = sent.get(timeout=POLL_S)
            except queue.Empty:
                waited_s = time.monotonic() - heard
                if waited_s > timeout_s:
                    raise TimedOut(seconds=timeout_s) from None
                if on_wait is not None:
                    on_wait(Waiting(scheduler.position(tickets[-1]), waited_s, "ready", ""))
                continue
            heard = time.monotonic()
            if isinstance(value, Exception):
                raise value
            if value is DONE:
                n_open -= 1
            elif value is not None:
                yield row, value
    finally:
        scheduler.leave(request.request_id)
