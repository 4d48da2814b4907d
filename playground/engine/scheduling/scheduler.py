"""A bounded, fair queue between many session threads and the one model thread.

    session threads --submit--> waiting jobs --next_batch--> model thread --finish--> outbox of each ticket

Thirty students asking the same thing hold thirty tickets of one job (single flight); the job is dropped when
its last ticket leaves. The holders of a ticket are read and changed with the lock held only. Knows no torch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Container, Hashable, Sequence

from playground.engine.scheduling.jobs import DONE, Job, JobKind, More, OpenRequest, Outbox, Ticket
from playground.engine.scheduling.pace import Pace
from playground.errors import Cancelled, PlaygroundError, QueueFull, Superseded
from playground.settings import Settings

log = logging.getLogger(__name__)


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
        self._open: dict[OpenRequest, None] = {}  # in the order they began
        self._paid: dict[str, float] = {}
        self._owed = 0.0  # tokens computed since the last turn of a job that comes later
        self._pace = Pace()
        self._closed = False
        self.n_turns = 0  # begun by the model thread
        self.n_cancelled = 0

    # ---- called by session threads

    def begin(self, request_id: str, owner: str, kind: JobKind, topic: str | None = None) -> OpenRequest:
        """A request begins; its caller calls `end`. Once the scheduler is closed, it has ended already."""
        with self._changed:
            request = OpenRequest(request_id, owner, kind, topic)
            if self._closed:
                request.error = Cancelled()
                return request
            for older in list(self._open):
                same = (older.owner, older.kind, older.topic) == (owner, kind, topic)
                if owner and topic is not None and same:
                    self._end(older, Superseded())
            self._open[request] = None
            return request

    def check(self, request: OpenRequest) -> None:
        """Raise the reason if a request has ended early."""
        if request.error is not None:
            raise request.error

    def submit(self, job: Job, request: OpenRequest, outbox: Outbox) -> Ticket:
        """Queue a job, or join the same one that is already there.

        Args:
            job, request, outbox: The computation, the request it is a part of, and what receives its results.

        Raises:
            Cancelled: The request has ended.
            QueueFull: No room; answers at once, with the place the request would have had.
        """
        with self._changed:
            self.check(request)
            self._check_room(request)
            known = self._waiting.get(job.key) or self._running.get(job.key)
            if known is None:
                if not (self._waiting or self._running):
                    self._pace.begin()
                self._waiting[job.key] = known = job
            self._enter(request.owner)
            request.has_place = True
            ticket = Ticket(request, known, outbox)
            known.tickets.append(ticket)
            request.tickets.append(ticket)
            self._changed.notify_all()
            return ticket

    def together(self) -> threading.Condition:
        """A context in which jobs are submitted that are to be known at one moment, to share a batch."""
        return self._changed

    def take_back(self, tickets: Sequence[Ticket]) -> None:
        """Take back tickets whose request wants nothing more of them."""
        with self._changed:
            for ticket in tickets:
                if ticket in ticket.request.tickets:
                    self._drop(ticket, Cancelled())

    def end(self, request: OpenRequest) -> None:
        """A request is over: the jobs it still waits for are taken back."""
        with self._changed:
            self._end(request, Cancelled())

    def end_when_done(self, request: OpenRequest) -> None:
        """A request asks nothing more; it is over with its last ticket."""
        with self._changed:
            request.goes_on = False
            self._forget_if_over(request)

    def leave(self, request_id: str) -> None:
        """Take a request back; its caller gets `Cancelled`. Unknown ids are ignored."""
        with self._changed:
            for request in [one for one in list(self._open) if one.request_id == request_id]:
                self._end(request, Cancelled())

    def leave_owner(self, owner: str) -> None:
        """Take back everything of one session."""
        with self._changed:
            for request in [one for one in list(self._open) if one.owner == owner]:
                self._end(request, Cancelled())
            self._paid.pop(owner, None)

    def place(self, ticket: Ticket) -> tuple[int, float | None]:
        """Place in the queue, 1 = next, and about how many seconds until it has been computed.

        Returns:
            (0, None) while it is being computed; no seconds where the pace is not known yet.
        """
        with self._changed:
            job = ticket.job
            if self._waiting.get(job.key) is not job:
                return 0, None
            line = self._line(list(self._waiting.values()))
            at = line.index(job)
            if job.kind == "decode":
                return at + 1, None
            before = [one for one in (*self._running.values(), *line[: at + 1]) if one.kind != "decode"]
            return at + 1, self._pace.seconds(sum(one.n_tokens for one in before))

    @property
    def n_waiting(self) -> int:
        """Jobs that nobody computes yet."""
        return len(self._waiting)

    @property
    def n_urgent(self) -> int:
        """Forwards among them that are not the rest of something that its reader sees already."""
        return sum(not job.later and job.kind != "decode" for job in list(self._waiting.values()))

    def close(self) -> None:
        """Refuse everything from now on and send `Cancelled` to all."""
        with self._changed:
            self._closed = True
            for request in list(self._open):
                self._end(request, Cancelled())
            self._changed.notify_all()

    def wake(self) -> None:
        """Wake the model thread for work that is not a job."""
        with self._changed:
            self._changed.notify_all()

    # ---- called by the model thread

    def wait(self, *, busy: Callable[[], bool], at_most_s: float | None = None) -> bool:
        """Sleep until there is something to do, here or by `busy`, or that long. False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed or busy(), at_most_s)
            return not self._closed

    def next_batch(self) -> list[Job]:
        """The fairest forward and those that can share it: same group, similar length, token budget."""
        with self._changed:
            batch = self._gather()
            if len(batch) == 1 and len(self._active()) > 1:
                self._changed.wait(self._settings.linger_s)
                batch = self._gather()
            return [self._start(job) for job in batch]

    def next_rows(self, room: int) -> list[Job]:
        """The fairest waiting decode jobs of one group, at most `room`."""
        with self._changed:
            decodes = [job for job in list(self._waiting.values()) if job.kind == "decode"]
            rows = sorted(decodes, key=self._priority)
            first = rows[:1]
            return [self._start(job) for job in rows[:room] if job.group == first[0].group]

    def wanted(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of these running jobs that somebody waits for; the others are forgotten, here and now."""
        with self._changed:
            wanted = [job for job in jobs if job.tickets]
            for job in jobs:
                if job not in wanted:
                    self._forget(job)
            return wanted

    def charge(self, job: Job, tokens: float, more: float = 0.0) -> None:
        """Let the owners of a job pay for tokens computed and for its part of the forward, shared by them."""
        with self._changed:
            paid = tokens + more
            if job.kind != "decode":
                self._pace.add(tokens)
                self._owed = 0.0 if job.later else self._owed + paid
            tickets = list(job.tickets)
            for ticket in tickets:
                self._paid[ticket.owner] = self._paid.get(ticket.owner, 0.0) + paid / len(tickets)

    def send(self, job: Job, value: object) -> None:
        """Put a value into the outbox of every ticket."""
        with self._changed:
            for ticket in list(job.tickets):
                self._tell(ticket, value)

    def again(self, job: Job, more: More) -> None:
        """Send the result of one turn of a job; it waits for its next turn if anybody still waits for it."""
        with self._changed:
            self.send(job, more.value)
            if not job.tickets:
                self._forget(job)
            elif self._running.pop(job.key, None) is job:
                job.n_tokens, job.running = more.n_tokens, False
                if job.kind == "score":  # its reader sees the first part: others come first
                    job.later = self._settings.later_tokens
                self._waiting[job.key] = job

    def finish(self, job: Job, *last: object) -> None:
        """Send the last value (a result or an exception), if there is one; then forget the job."""
        with self._changed:
            self._forget(job)
            tickets, job.tickets = job.tickets, []
            for ticket in tickets:
                ticket.request.tickets.remove(ticket)
                self._tell(ticket, *last, DONE)
                self._forget_if_over(ticket.request)

    def fail_lost(self, held: Container[Job], error: PlaygroundError) -> bool:
        """End all running jobs but these; True if there was any. Nobody waits for a job that got lost."""
        with self._changed:
            lost = [job for job in list(self._running.values()) if job not in held]
            for job in lost:
                self.finish(job, error)
            return bool(lost)

    def fail_waiting(self, error: PlaygroundError) -> None:
        """End every waiting job."""
        with self._changed:
            for job in list(self._waiting.values()):
                self.finish(job, error)

    # ---- with the lock held; loops run over copies: a generator collected meanwhile takes its tickets back

    def _active(self) -> set[str]:
        return {request.owner for request in list(self._open) if request.tickets}

    def _enter(self, owner: str) -> None:
        """A session that comes (back) starts at the least anybody active has paid, or little above it."""
        active = self._active()
        if owner not in active:
            least = min((self._paid.get(other, 0.0) for other in active), default=0.0)
            most = least + self._settings.max_debt_tokens
            self._paid[owner] = min(max(self._paid.get(owner, 0.0), least), most)
        for other in [other for other in self._paid if other not in active and other != owner]:
            if len(self._paid) <= self._settings.max_inbox:
                break
            del self._paid[other]

    def _priority(self, job: Job) -> float:
        least = min((self._paid.get(ticket.owner, 0.0) for ticket in job.tickets), default=0.0)
        return least + job.later

    def _line(self, jobs: Sequence[Job]) -> list[Job]:
        """Jobs in the order of their turns; the rest of something has one after so many tokens of others."""
        line = sorted(jobs, key=self._priority)
        due = next((job for job in line if job.later and self._owed >= job.later), None)
        return line if due is None else [due, *(job for job in line if job is not due)]

    def _check_room(self, request: OpenRequest) -> None:
        if request.has_place:
            return
        others = [one for one in list(self._open) if one.has_place]
        mine = sum(other.owner == request.owner for other in others)
        full = len(others) >= self._settings.max_inbox
        if full or (request.owner and mine >= self._settings.max_inbox_per_session):
            raise QueueFull(position=len(self._waiting) + 1)

    def _end(self, request: OpenRequest, error: PlaygroundError) -> None:
        self._open.pop(request, None)
        request.error = request.error or error
        for ticket in list(request.tickets):
            self._drop(ticket, error)

    def _drop(self, ticket: Ticket, error: PlaygroundError) -> None:
        self.n_cancelled += 1
        ticket.request.tickets.remove(ticket)
        ticket.job.tickets.remove(ticket)
        self._tell(ticket, error, DONE)
        self._forget_if_over(ticket.request)
        if not ticket.job.tickets and not ticket.job.running:
            self._forget(ticket.job)

    def _tell(self, ticket: Ticket, *values: object) -> None:
        """Send; an outbox that does not take it gets nothing more, so that no answer has a hole."""
        try:
            for value in values:
                if not ticket.is_broken:
                    ticket.outbox.put(value)
        except BaseException:
            ticket.is_broken = True
            log.exception("what was computed could not be handed out")

    def _forget_if_over(self, request: OpenRequest) -> None:
        if not (request.goes_on or request.tickets):
            self._open.pop(request, None)

    def _forget(self, job: Job) -> None:
        job.payload = None  # a reader who pauses holds a ticket, and keeps nothing alive by it
        for jobs in (self._waiting, self._running):
            if jobs.get(job.key) is job:
                del jobs[job.key]

    def _start(self, job: Job) -> Job:
        del self._waiting[job.key]
        self._running[job.key] = job
        job.running = job.begun = True
        self.n_turns += 1
        return job

    def _gather(self) -> list[Job]:
        begun = [job for jobs in (self._waiting, self._running) for job in list(jobs.values()) if job.begun]
        is_full = sum(job.keeps for job in begun) >= self._settings.max_kept_caches
        forwards = self._line(
            [
                job
                for job in list(self._waiting.values())
                if job.kind != "decode" and not (is_full and job.keeps and not job.begun)
            ]
        )
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
