"""Who is next in a class: counted in tokens and turns, never in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import pytest

from playground.engine.scheduling import pace
from playground.engine.scheduling.jobs import Job, JobKind, More, OpenRequest
from playground.engine.scheduling.pace import Pace
from playground.engine.scheduling.scheduler import Scheduler
from playground.settings import Settings

PIECE = 256


class Deaf:
    """An outbox of a reader who looks at nothing."""

    def put(self, value: object, /) -> None:
        pass


class Class:
    """A scheduler and its model thread, one turn after another."""

    def __init__(self, settings: Settings) -> None:
        self.scheduler = Scheduler(settings.model_copy(update={"linger_s": 0}))
        self.served: Counter[str] = Counter()  # tokens, by session
        self.turns: list[str] = []

    def ask(
        self, owner: str, n_tokens: int, kind: JobKind = "trace", key: Hashable = None, later: int = 0
    ) -> tuple[Job, Any]:
        request: OpenRequest = self.scheduler.begin(f"{owner} asks", owner, kind)
        job = Job(kind, key or object(), object(), n_tokens, None, later=later)
        ticket = self.scheduler.submit(job, request, Deaf())
        self.scheduler.end_when_done(request)
        return job, ticket

    def turn(self, n_left: dict[Job, int] | None = None) -> str:
        """Compute the next job; those in `n_left` have so many further pieces."""
        (job,) = self.scheduler.next_batch()
        owner = job.tickets[0].owner
        self.scheduler.charge(job, job.n_tokens)
        self.served[owner] += job.n_tokens
        self.turns.append(owner)
        if n_left is not None and n_left.get(job, 0):
            n_left[job] -= 1
            self.scheduler.again(job, More(None, job.n_tokens))
        else:
            self.scheduler.finish(job, None)
        return owner


@pytest.fixture
def room(tiny_settings: Settings) -> Class:
    return Class(tiny_settings)


def test_a_new_sentence_does_not_wait_for_what_its_reader_had_before(room: Class) -> None:
    room.ask("light", 10)
    sweep, _ticket = room.ask("heavy", PIECE, "score")
    left = {sweep: 19}
    while sweep.tickets:
        room.turn(left)
    assert room.served["heavy"] == 20 * PIECE
    for number in range(5):
        room.ask(f"other {number}", 12)
    room.ask("heavy", 12)
    waited = 0
    while (owner := room.turn()) != "heavy":
        waited += 12
        room.ask(owner, 12)  # who has an answer asks again: somebody waits always
    assert waited <= 5 * (room.scheduler._settings.max_debt_tokens + 12)


def test_a_sweep_lets_first_pictures_pass_and_never_starves(room: Class) -> None:
    sweep, _ticket = room.ask("sweeper", PIECE, "score")
    left = {sweep: 8}
    assert room.turn(left) == "sweeper", "its first part is as urgent as anything"
    for number in range(4):
        room.ask(f"reader {number}", 64)
    for _turn in range(400):
        if (owner := room.turn(left)) != "sweeper":
            room.ask(owner, 64)
    places = [at for at, owner in enumerate(room.turns) if owner == "sweeper"]
    between = [(b - a - 1) * 64 for a, b in pairwise(places)]
    assert len(places) == 9, "the whole sweep, though somebody else waited all the time"
    later = room.scheduler._settings.later_tokens
    assert later - PIECE <= between[0] <= later
    assert all(later <= n <= later + 64 for n in between[1:])


def test_equal_readers_have_equal_shares_beside_sweeps(room: Class) -> None:
    readers = [f"reader {number}" for number in range(10)]
    sweeps = [room.ask(f"sweeper {number}", PIECE, "score")[0] for number in range(3)]
    left = dict.fromkeys(sweeps, 10**6)
    for number, reader in enumerate(readers):
        room.ask(reader, 8 + 8 * (number % 4))
    for _turn in range(3_000):
        owner = room.turn(left)
        if owner in readers:
            room.ask(owner, 8 + 8 * (readers.index(owner) % 4))
    for group in (readers, [f"sweeper {number}" for number in range(3)]):
        shares = [room.served[one] for one in group]
        assert sum(shares) ** 2 / len(shares) / sum(one**2 for one in shares) > 0.95
    assert sum(room.served[one] for one in readers) > 0.75 * sum(room.served.values())


def test_the_place_comes_with_the_time_that_the_measured_pace_needs(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    room.scheduler._pace = Pace()
    _job, ticket = room.ask("first", 100)
    assert room.scheduler.place(ticket) == (1, None), "nothing has been measured"
    (job,) = room.scheduler.next_batch()
    assert room.scheduler.place(ticket) == (0, None)
    now[0] += 2.0  # 50 tokens a second
    room.scheduler.charge(job, 100)
    room.scheduler.finish(job, None)
    now[0] += 1_000.0  # nobody asks
    room.ask("second", 100)
    _job, last = room.ask("third", 150)
    position, left_s = room.scheduler.place(last)
    assert position == 2
    assert left_s == pytest.approx(5.0)


@pytest.mark.parametrize("n", [1, 7, 64])
def test_the_pace_follows_what_is_measured(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    measured = Pace()
    for rate in (1_000.0, 100.0):
        for _ in range(20_000 // n):
            now[0] += n / rate
            measured.add(n)
        assert measured.seconds(rate) == pytest.approx(1.0, rel=0.4)
