"""A caller's wait for the model thread: one queue for all jobs of a request, which can end at any moment."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

from playground.engine.contract.asked import Asked
from playground.engine.contract.waiting import OnWait, Waiting
from playground.engine.scheduling.jobs import DONE, Job, JobKind, Ticket
from playground.engine.scheduling.scheduler import Scheduler
from playground.errors import NotComputed, PlaygroundError, TimedOut
from playground.settings import Settings

POLL_S = 0.1
LONG_POLL_S = 0.3  # after a second: a class that waits is not to keep the interpreter from the engine
LONG_S = 1.0
Sent = queue.SimpleQueue[tuple[int, object]]


@dataclass(frozen=True, slots=True)
class _Row:
    """Outbox of one job of a request."""

    row: int
    sent: Sent

    def put(self, value: object, /) -> None:
        self.sent.put((self.row, value))


class Asking:
    """A context manager for a request from its begin to its end, so that every wait in it can be cancelled.

    Args:
        scheduler: The queue of its jobs.
        request: The request.
        kind: Kind of the request.
        topic: A newer request of the same session, kind and topic supersedes this one; None: none does.
        settings: Longest silence while it is computed or nothing is, and in a queue that moves; for both
            counts what the request says, if it says so.
        on_wait: Called some times a second with the place in the queue and the time without a result.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        request: Asked,
        kind: JobKind,
        topic: str | None,
        settings: Settings,
        on_wait: OnWait | None,
    ) -> None:
        self._scheduler, self._request = scheduler, request
        self._kind, self._topic = kind, topic
        self._timeout_s = request.timeout_s or settings.request_timeout_s
        self._queue_timeout_s = request.timeout_s or settings.queue_timeout_s
        self._on_wait = on_wait

    def __enter__(self) -> Asking:
        request = self._request
        self._open = self._scheduler.begin(request.request_id, request.owner, self._kind, self._topic)
        self._scheduler.check(self._open)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._scheduler.end(self._open)

    def waits(self, waiting: Waiting) -> None:
        """A callback for everything the request waits for, which calls it some times a second.

        Raises:
            Cancelled: The request has been cancelled or superseded.
        """
        self._scheduler.check(self._open)
        if self._on_wait is not None:
            self._on_wait(waiting)

    def result(self, job: Job) -> object:
        """The result of a job that has one."""
        return next(self.results(job))

    def results(self, job: Job) -> Iterator[object]:
        """The results of one job, until it is done; leaving early takes it back."""
        for _row, value in self.each([job]):
            yield value

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, object]]:
        """(index of the job, its result), until all are done.

        Leaving early takes them back; the first error ends all of them.

        Args:
            jobs: At least one.
        """
        heard = moved = time.monotonic()
        sent, n_open, n_turns = Sent(), len(jobs), -1
        tickets: list[Ticket] = []
        try:
            with self._scheduler.together():
                for row, job in enumerate(jobs):
                    tickets.append(self._scheduler.submit(job, self._open, _Row(row, sent)))
            while n_open:
                self._scheduler.check(self._open)  # cancelled: also what has come already is not wanted
                try:
                    has_waited = time.monotonic() - heard > LONG_S
                    row, value = sent.get(timeout=LONG_POLL_S if has_waited else POLL_S)
                except queue.Empty:
                    if any(ticket.is_broken for ticket in tickets):
                        raise NotComputed from None
                    position, left_s = self._scheduler.place(tickets[-1])
                    if position and n_turns != self._scheduler.n_turns:  # others have their turns
                        moved, n_turns = time.monotonic(), self._scheduler.n_turns
                    self._check_time(heard, moved)
                    if self._on_wait is not None:
                        waited_s = time.monotonic() - heard
                        self._on_wait(Waiting(position, waited_s, "ready", left_s=left_s))
                    continue
                heard = moved = time.monotonic()
                if isinstance(value, PlaygroundError):
                    raise type(value)(**value.params)  # a copy: others may be raising the same one
                if value is DONE:
                    n_open -= 1
                else:
                    yield row, value
        finally:
            self._scheduler.take_back(tickets)

    def _check_time(self, heard: float, moved: float) -> None:
        """Raise if nothing has come for too long, or the engine has done nothing for too long."""
        now = time.monotonic()
        for since, most_s in ((moved, self._timeout_s), (heard, self._queue_timeout_s)):
            if now - since > most_s:
                raise TimedOut(seconds=most_s)
