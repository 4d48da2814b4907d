"""Polls: whoever votes, changes, leaves, comes late or too late, one vote a student is counted."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scipy.stats import binomtest

from playground.core.classroom.polls import Poll, Polls, tally
from playground.core.classroom.preferences import Preference, jsonl, preferences
from playground.errors import (
    EmptyText,
    OptionTooLong,
    PollOver,
    SameOptions,
    TextTooLong,
    TooFewOptions,
    TooManyOptions,
)
from playground.settings import Settings

LIMITS = Settings(max_polls=3, max_poll_votes=5)
POLL = Poll("next", "The capital of England is", ("·London", "·a", "·the"), (0.59, 0.05, 0.02), 0, "m")
STUDENTS = [f"secret{number}" for number in range(7)]


class Lesson(RuleBasedStateMachine):
    """A class that does anything in any order, beside a plain record of what must be so."""

    def __init__(self) -> None:
        super().__init__()
        self.polls = Polls(LIMITS)
        self.votes: dict[str, int] = {}
        self.stage = ""
        self.number = 0
        self.record: dict[int, list[tuple[str, int]]] = {}

    def counted(self) -> list[tuple[str, int]]:
        return [(f"name of {student}", option) for student, option in self.votes.items()]

    @rule()
    def open(self) -> None:
        number = self.polls.open(POLL)
        assert number > self.number
        self.number, self.stage, self.votes = number, "open", {}

    @rule(student=st.sampled_from(STUDENTS), option=st.integers(-1, 3), late=st.booleans())
    def vote(self, student: str, option: int, late: bool) -> None:
        number = self.number - late
        is_full = student not in self.votes and len(self.votes) == 5
        if late or self.stage != "open" or option not in range(3) or is_full:
            with pytest.raises(PollOver):
                self.polls.vote(number, student, f"name of {student}", option)
        else:
            self.polls.vote(number, student, f"name of {student}", option)
            self.votes[student] = option

    @rule(student=st.sampled_from(STUDENTS))
    def leave(self, student: str) -> None:
        self.polls.forget(student)
        if self.stage == "open":
            self.votes.pop(student, None)

    @rule()
    def close(self) -> None:
        self.polls.close()
        self.stage = "closed" if self.stage == "open" else self.stage

    @rule()
    def reveal(self) -> None:
        self.polls.reveal()
        self.stage = "revealed" if self.stage else ""

    @rule()
    def take_away(self) -> None:
        self.polls.take_away()
        self.stage, self.votes = "", {}

    @precondition(lambda self: self.number > 4)
    @rule()
    def end(self) -> None:
        self.polls.clear()
        self.stage, self.votes, self.record = "", {}, {}
        assert self.polls.all() == ()

    @invariant()
    def what_the_teacher_sees(self) -> None:
        current = self.polls.current()
        assert (current.stage if current else "") == self.stage
        if current is not None:
            assert (current.number, list(current.votes)) == (self.number, self.counted())
            self.record[current.number] = self.counted()
        kept = {one.number: list(one.votes) for one in self.polls.all()}
        assert kept == dict(list(self.record.items())[-3:])
        assert all(one.stage != "open" for one in self.polls.all() if one.number != self.number)

    @invariant()
    def what_students_see(self) -> None:
        for student in STUDENTS:
            ballot = self.polls.ballot(student)
            assert (ballot is None) == (self.stage == "")
            if ballot is None:
                continue
            assert ballot.mine == self.votes.get(student)
            is_told = self.stage == "revealed"
            assert (ballot.tally is not None) == is_told
            assert (ballot.poll.right, ballot.poll.measures) == (
                (0, (0.59, 0.05, 0.02)) if is_told else (None, ())
            )
            assert ballot.tally is None or ballot.tally.n == len(self.votes)


TestLesson = Lesson.TestCase


@pytest.mark.parametrize("chosen", [[], [0], [0, 0, 1], [2] * 18 + [0] * 10, [0, 1, 2], [1] * 200])
def test_the_interval_is_that_of_scipy(chosen: list[int]) -> None:
    found = tally(POLL, chosen)
    assert sum(found.counts) == found.n == len(chosen)
    if chosen:
        interval = binomtest(max(found.counts), len(chosen)).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-4)
        assert found.agreeing == chosen.count(0) / len(chosen)
        assert {found.counts[place] for place in found.most} == {max(found.counts)}
    else:
        assert (found.most, found.agreeing, found.low, found.high) == ((), None, 0.0, 1.0)


def test_thirty_students_who_vote_at_once_are_counted_once_each() -> None:
    polls = Polls(Settings())
    number = polls.open(POLL)
    start = threading.Barrier(30)

    def vote(student: int) -> None:
        start.wait()
        for option in (0, 1, 2, student % 3):
            polls.vote(number, f"secret{student}", f"name{student}", option)

    threads = [threading.Thread(target=vote, args=(student,)) for student in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = polls.current()
    assert asked is not None
    assert asked.tally().counts == (10, 10, 10)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"text": " "}, EmptyText),
        ({"text": "x" * 301}, TextTooLong),
        ({"options": ("a",)}, TooFewOptions),
        ({"options": tuple("abcdefg")}, TooManyOptions),
        ({"options": ("한", "\u1112\u1161\u11ab")}, SameOptions),
        ({"options": ("a", "x" * 401)}, OptionTooLong),
    ],
)
def test_a_poll_that_nobody_could_answer_is_refused_by_name(wrong: dict[str, Any], error: type) -> None:
    polls = Polls(Settings())
    with pytest.raises(error):
        polls.open(replace(POLL, measures=(), right=None, **wrong))
    assert polls.current() is None


def better(polls: Polls, options: tuple[str, str], votes: list[int]) -> None:
    number = polls.open(Poll("better", "Hi,", options))
    for student, option in enumerate(votes):
        polls.vote(number, str(student), f"name{student}", option)


def test_votes_on_the_same_two_answers_are_pooled_and_a_tie_prefers_nothing() -> None:
    polls = Polls(Settings())
    better(polls, (" there.", " you."), [0, 1, 1])
    better(polls, (" you.", " there."), [0, 0, 1])
    better(polls, (" a", " b"), [0, 1])
    polls.open(Poll("free", "Hi,", (" there.", " you.")))
    better(polls, (" c", " d"), [0])  # still open
    assert preferences(polls.all()) == (Preference("Hi,", " you.", " there.", 4, 2),)
    polls.close()
    pairs = preferences(polls.all())
    assert pairs[1:] == (Preference("Hi,", " c", " d", 1, 0),)
    lines = [json.loads(line) for line in jsonl(pairs).decode().splitlines()]
    assert lines[0] == {"prompt": "Hi,", "chosen": " you.", "rejected": " there."}
    polls.clear()
    assert preferences(polls.all()) == ()
