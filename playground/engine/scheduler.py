"""Who is next: a bounded, fair queue between many session threads and the one model thread.

    session threads --submit--> waiting jobs --next_batch--> model thread --finish--> outbox of each ticket

A *job* is one computation, a *ticket* one caller's interest in it. Thirty students asking the same thing hold
thirty tickets of one job (single flight); the job is dropped when its last ticket leaves. Knows no torch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from playground.errors import Cancelled, QueueFull, Superseded
from playground.settings import Settings

JobKind = Literal["trace", "score", "decode"]


class Done:
    """Last entry of an outbox."""


DONE = Done()


@dataclass(eq=False)
class Job:
    """One computation.

    Attributes:
        kind: decode jobs join the decode batch, the others are one forward.
        key: Equal keys are the same computation.
        group: Jobs of one group may share a forward.
        n_tokens: Length of its text: what it costs and how it is padded.
        payload: What the model thread needs.
    """

    kind: JobKind
    key: Hashable
    group: Hashable
    n_tokens: int
    payload: Any
    tickets: list[Ticket] = field(default_factory=list)
    running: bool = False


@dataclass(eq=False)
class Ticket:
    """One caller's interest in a job; results and errors arrive in `outbox`, `DONE` comes last.

    `request` is the request it belongs to: one of many texts holds a ticket for each.
    """

    request_id: str
    owner: str
    topic: str
    job: Job
    request: str
    outbox: Outbox


class Outbox(Protocol):
    """Where a caller finds what the model thread sends."""

    def put(self, value: object, /) -> None:
        """Send; never waits."""


class Scheduler:
    """Fair by a virtual token counter: a session pays for the tokens it had computed, who paid least is next.

    Source:
        Sheng et al. 2024, "Fairness in Serving Large Language Models", OSDI, algorithm 2.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, Job] = {}
        self._running: dict[Hashable, Job] = {}
        self._tickets: dict[str, Ticket] = {}
        self._paid: dict[str, float] = {}
        self._closed = False
        self.n_cancelled = 0

    # ---- called by session threads

    def submit(
        self, job: Job, *, request_id: str, owner: str, topic: str, outbox: Outbox, request: str
    ) -> Ticket:
        """Queue a job, or join the same one that is already there.

        Args:
            job: The computation.
            request_id, owner, topic: Who asks, and for what.
            outbox: Where the results go.
            request: Of which request this is a part; parts supersede nothing and count as one.

        Raises:
            QueueFull: No room; answers at once, with the place the request would have had.
        """
        with self._changed:
            if self._closed:
                raise Cancelled
            self._supersede(owner, job.kind, topic, request)
            known = self._waiting.get(job.key) or self._running.get(job.key)
            if known is None:
                self._check_room(owner, request)
                self._waiting[job.key] = known = job
            ticket = Ticket(request_id, owner, topic, known, request, outbox)
            self._enter(owner)
            known.tickets.append(ticket)
            self._tickets[request_id] = ticket
            self._changed.notify_all()
            return ticket

    def leave(self, request_id: str, error: Exception | None = None) -> None:
        """Take a request back; its caller gets `error` (default `Cancelled`). Unknown ids are ignored."""
        with self._changed:
            for ticket in [held for held in self._tickets.values() if held.request == request_id]:
                self._drop(ticket, error or Cancelled())

    def leave_owner(self, owner: str) -> None:
        """Take back everything of one session."""
        with self._changed:
            for ticket in [held for held in self._tickets.values() if held.owner == owner]:
                self._drop(ticket, Cancelled())
            self._paid.pop(owner, None)

    def position(self, ticket: Ticket) -> int:
        """Place in the queue, 1 = next; 0 while it is being computed."""
        with self._changed:
            if ticket.job.key not in self._waiting:
                return 0
            ordered = sorted(self._waiting.values(), key=self._priority)
            return 1 + next(place for place, job in enumerate(ordered) if job is ticket.job)

    @property
    def n_waiting(self) -> int:
        """Jobs that nobody computes yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Refuse everything from now on and send `Cancelled` to all."""
        with self._changed:
            self._closed = True
            for ticket in list(self._tickets.values()):
                self._drop(ticket, Cancelled())
            self._changed.notify_all()

    def wake(self) -> None:
        """There is something to do that is no job."""
        with self._changed:
            self._changed.notify_all()

    # ---- called by the model thread

    def wait(self, *, busy: Callable[[], bool]) -> bool:
        """Sleep until there is something to do, here or by `busy`. False when closed."""
        with self._changed:
            while not (self._waiting or self._closed or busy()):
                self._changed.wait()
            return not self._closed

    def next_batch(self) -> list[Job]:
        """The fairest forward and those that can share it: same group, similar length, token budget."""
        with self._changed:
            batch = self._gather()
            if len(batch) == 1 and len({ticket.owner for ticket in self._tickets.values()}) > 1:
                self._changed.wait(self._settings.linger_s)
                batch = self._gather()
            return [self._start(job) for job in batch]

    def next_rows(self, room: int) -> list[Job]:
        """The fairest waiting decode jobs of one group, at most `room`."""
        with self._changed:
            rows = sorted((job for job in self._waiting.values() if job.kind == "decode"), key=self._priority)
            first = rows[:1]
            return [self._start(job) for job in rows[:room] if job.group == first[0].group]

    def charge(self, job: Job, tokens: float) -> None:
        """Let the owners of a job pay for tokens computed, shared among them."""
        with self._changed:
            for ticket in job.tickets:
                self._paid[ticket.owner] = self._paid.get(ticket.owner, 0.0) + tokens / len(job.tickets)

    def send(self, job: Job, value: object) -> None:
        """Put a value into the outbox of every ticket."""
        with self._changed:
            for ticket in job.tickets:
                ticket.outbox.put(value)

    def finish(self, job: Job, last: object) -> None:
        """Send the last value (a result or an exception), then forget the job."""
        with self._changed:
            self._running.pop(job.key, None)
            for ticket in job.tickets:
                self._tickets.pop(ticket.request_id, None)
                ticket.outbox.put(last)
                ticket.outbox.put(DONE)
            job.tickets.clear()

    # ---- with the lock held

    def _enter(self, owner: str) -> None:
        """A session that comes (back) starts at the least anybody active has paid: no credit for sleeping."""
        active = {ticket.owner for ticket in self._tickets.values()}
        if owner not in active:
            least = min((self._paid.get(other, 0.0) for other in active), default=0.0)
            self._paid[owner] = max(self._paid.get(owner, 0.0), least)
        for other in [other for other in self._paid if other not in active and other != owner]:
            if len(self._paid) <= self._settings.max_inbox:
                break
            del self._paid[other]

    def _priority(self, job: Job) -> float:
        return min((self._paid.get(ticket.owner, 0.0) for ticket in job.tickets), default=0.0)

    def _supersede(self, owner: str, kind: JobKind, topic: str, request: str) -> None:
        for ticket in list(self._tickets.values()):
            same = (ticket.owner, ticket.job.kind, ticket.topic) == (owner, kind, topic)
            if owner and same and ticket.request != request:
                self._drop(ticket, Superseded())

    def _check_room(self, owner: str, request: str) -> None:
        others = {(ticket.owner, ticket.request) for ticket in self._tickets.values()} - {(owner, request)}
        mine = sum(other == owner for other, _request in others)
        full = len(others) >= self._settings.max_inbox
        if full or (owner and mine >= self._settings.max_inbox_per_session):
            raise QueueFull(position=len(self._waiting) + 1)

    def _drop(self, ticket: Ticket, error: Exception) -> None:
        self.n_cancelled += 1
        del self._tickets[ticket.request_id]
        ticket.job.tickets.remove(ticket)
        ticket.outbox.put(error)
        ticket.outbox.put(DONE)
        if not ticket.job.tickets and not ticket.job.running:
            self._waiting.pop(ticket.job.key, None)

    def _start(self, job: Job) -> Job:
        del self._waiting[job.key]
        self._running[job.key] = job
        job.running = True
        return job

    def _gather(self) -> list[Job]:
        forwards = sorted((job for job in self._waiting.values() if job.kind != "decode"), key=self._priority)
        if not forwards:
            return []
        first = forwards[0]
        batch, longest = [first], first.n_tokens
        for job in forwards[1:]:
            similar = 2 * min(job.n_tokens, longest) >= max(job.n_tokens, longest)
            padded = max(job.n_tokens, longest) * (len(batch) + 1)
            if job.group == first.group and similar and padded <= self._settings.trace_batch_tokens:
                batch.append(job)
                longest = max(job.n_tokens, longest)
        return batch
