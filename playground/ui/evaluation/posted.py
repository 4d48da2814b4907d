"""The class's board: answers that readers post and vote for, shared by all sessions of the process.

One board for each task and language. Nothing is written to disk: answers are gone with the server, after
some hours, or when their reader withdraws them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from playground.core.canonical import is_same
from playground.errors import AnswerExists, TooManyAnswers
from playground.settings import Settings


@dataclass(eq=False)
class _Answer:
    """An answer: its text, the session that posted it ("" for ours), when, and the sessions that voted."""

    number: int
    text: str
    kind: str
    owner: str
    posted_at: float
    voters: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as one reader sees it.

    Attributes:
        number: Its number, which no other answer of this board ever gets.
        text: The answer.
        kind: "good" and "bad" for ours, "reader" for a reader's.
        n_votes: Sessions that voted for it.
        is_mine: The reader posted it, and may withdraw it.
        has_my_vote: The reader voted for it.
    """

    number: int
    text: str
    kind: str
    n_votes: int
    is_mine: bool
    has_my_vote: bool


class Board:
    """The answers to one task in one language. Safe to share between threads.

    Args:
        good, bad: Our own answers: a good one that metrics think little of, a bad one that they like.
        limits: Settings with the limits of a board.
        now: Clock, seconds.
    """

    def __init__(
        self, good: str, bad: str, limits: Settings, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits, self._now = limits, now
        self._lock = threading.Lock()
        self._answers = [_Answer(1, good, "good", "", now()), _Answer(2, bad, "bad", "", now())]
        self._next = 3

    def answers(self, owner: str) -> tuple[Answer, ...]:
        """All answers in the order of their numbers, as the session sees them."""
        with self._lock:
            self._forget_old()
            return tuple(
                Answer(
                    each.number,
                    each.text,
                    each.kind,
                    len(each.voters),
                    bool(owner) and each.owner == owner,
                    owner in each.voters,
                )
                for each in self._answers
            )

    def post(self, text: str, owner: str) -> int:
        """Put an answer on the board; its number. Where the board is full, the oldest of a reader leaves.

        Raises:
            TooManyAnswers: The session has as many as it may.
            AnswerExists: The same text is there already.
        """
        text = " ".join(text.split())[: self._limits.max_board_chars]
        with self._lock:
            self._forget_old()
            for each in self._answers:
                if is_same(each.text, text):
                    raise AnswerExists(number=each.number)
            theirs = [each for each in self._answers if each.owner]
            if sum(each.owner == owner for each in theirs) >= self._limits.max_board_answers_per_session:
                raise TooManyAnswers(limit=self._limits.max_board_answers_per_session)
            if len(theirs) >= self._limits.max_board_answers:
                self._answers.remove(theirs[0])
            number, self._next = self._next, self._next + 1
            self._answers.append(_Answer(number, text, "reader", owner, self._now()))
            return number

    def withdraw(self, number: int, owner: str) -> None:
        """Take an answer of this session away; nothing happens where it is not its own, or is gone."""
        with self._lock:
            self._answers = [
                each
                for each in self._answers
                if not (each.number == number and owner and each.owner == owner)
            ]

    def vote(self, number: int, owner: str) -> None:
        """Vote for an answer, or take the vote back: a session has one for each answer."""
        with self._lock:
            for each in self._answers:
                if each.number != number:
                    continue
                if owner in each.voters:
                    each.voters.remove(owner)
                elif len(each.voters) < self._limits.max_board_votes:
                    each.voters.add(owner)

    def _forget_old(self) -> None:
        oldest = self._now() - self._limits.board_age_s
        self._answers = [each for each in self._answers if not each.owner or each.posted_at > oldest]


@st.cache_resource(max_entries=64, show_spinner=False)
def board_of(task: str, language: str, good: str, bad: str, _limits: Settings) -> Board:
    """The board of a task in a language, one for the process."""
    return Board(good, bad, _limits)
