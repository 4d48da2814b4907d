"""Entries of the queue: a *request* asks for *jobs*, each one computation, and holds a *ticket* of each."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from playground.errors import PlaygroundError

JobKind = Literal["trace", "score", "decode"]


Result = TypeVar("Result", covariant=True)


class Done:
    """Last entry of an outbox."""


DONE = Done()


@dataclass(eq=False)
class Job:
    """One computation.

    Attributes:
        kind: decode jobs join the decode batch, the others are one forward.
        key: Equal keys are the same computation; a fresh `object()` is shared with nobody.
        group: Jobs of one group may share a forward.
        n_tokens: Length of its text: what it costs and how it is padded.
        payload: Data for the model thread.
        keeps: True if it takes several turns and keeps keys and values in between: of such jobs only
            `max_kept_caches` are begun at the same time, the others wait.
        begun: True once it has had a turn.
        later: 0, or tokens that others may have computed before it has a turn: it is the rest of something
            that its reader sees already.
        tickets: Tickets of requests that wait for it; read and changed with the scheduler's lock held only.
    """

    kind: JobKind
    key: Hashable
    group: Hashable
    n_tokens: int
    payload: Any
    keeps: bool = False
    begun: bool = False
    later: int = 0
    tickets: list[Ticket] = field(default_factory=list)
    running: bool = False


@dataclass(frozen=True, slots=True)
class More:
    """Result of a job of several turns after each but the last; then the job waits for its next turn.

    It goes on by itself, however slowly its readers take its results, so a reader who pauses holds nothing.

    Attributes:
        value: For its readers.
        n_tokens: Cost of its next turn.
    """

    value: object
    n_tokens: int


class Work(Protocol[Result]):
    """Payload of a job that computes by itself."""

    @property
    def n_forwards(self) -> int:
        """Number of forward passes of its next turn."""
        ...

    def run(self) -> Result | More:
        """Compute; called only from the engine's thread, again after each `More`."""
        ...


@dataclass(eq=False)
class OpenRequest:
    """One request, from its first word to its end: also between its steps and while its model loads.

    Attributes:
        request_id, owner: Its id and the session that asks. Cancelling an id ends all requests with it.
        kind, topic: A newer one of the same owner, kind and topic supersedes it; without a topic none does.
        has_place: True once it was let in; it keeps its place until it ends.
        goes_on: True if more jobs may come; otherwise it ends with its last ticket.
        error: Reason for an early end: every further call of the request raises it.
        tickets: Tickets of its jobs that are not done.
    """

    request_id: str
    owner: str
    kind: JobKind
    topic: str | None
    has_place: bool = False
    goes_on: bool = True
    error: PlaygroundError | None = None
    tickets: list[Ticket] = field(default_factory=list)


@dataclass(eq=False)
class Ticket:
    """A request's interest in a job; results and errors arrive in `outbox`, `DONE` comes last.

    Once it `is_broken`, because the outbox did not take something, nothing more arrives.
    """

    request: OpenRequest
    job: Job
    outbox: Outbox
    is_broken: bool = False

    @property
    def owner(self) -> str:
        """The session that asks."""
        return self.request.owner


class Outbox(Protocol):
    """The outbox in which a caller finds the results of the model thread."""

    def put(self, value: object, /) -> None:
        """Send; never waits."""
