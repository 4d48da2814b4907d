"""Polls of a class: one question at a time, one vote a student, the result at the reveal.

Nothing of it is written anywhere: questions and votes end with the class.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from playground.core.canonical import is_same
from playground.core.metrics.intervals import wilson_interval
from playground.errors import (
    EmptyText,
    OptionTooLong,
    PollOver,
    SameOptions,
    TextTooLong,
    TooFewOptions,
    TooManyOptions,
)

if TYPE_CHECKING:
    from playground.settings import Settings

Kind = Literal["next", "head", "better", "free"]
Stage = Literal["open", "closed", "revealed"]
KINDS: Final[tuple[Kind, ...]] = ("next", "head", "better", "free")


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with two options or more.

    Attributes:
        kind: "next" asks for the token after a text, "head" for the head that the token after it needs most,
            "better" for the better of two continuations; "free" is a question of the teacher's own.
        text: The text that is asked about; of "free" the question.
        options: The answers to choose from, plain text.
        measures: The model's value of each option: its probability ("next"), the bits that are lost without
            the head ("head"); () where there is none.
        right: Place of the right option; None where there is none.
        model: The model that was asked, as its pages name it; "" where none was.
    """

    kind: Kind
    text: str
    options: tuple[str, ...]
    measures: tuple[float, ...] = ()
    right: int | None = None
    model: str = ""

    def hidden(self) -> Poll:
        """The poll without what only the reveal tells."""
        return replace(self, measures=(), right=None)


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes of a poll, counted.

    Attributes:
        counts: Votes for each option.
        most: Places of the options with the most votes; several in a tie, none without a vote.
        share: Share of the votes that each of these has.
        low, high: Wilson's 95 % interval of that share.
        agreeing: Share of the votes that are for the right option; None where there is none, or no vote.
    """

    counts: tuple[int, ...]
    most: tuple[int, ...]
    share: float
    low: float
    high: float
    agreeing: float | None

    @property
    def n(self) -> int:
        """Number of votes."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll that was put to the class, as the teacher sees it.

    Attributes:
        number: Its number, which no other poll of this process has.
        poll: The question.
        stage: "open" takes votes, "closed" takes none, "revealed" shows them to all.
        votes: Nickname and place of the option, in the order of the first votes.
    """

    number: int
    poll: Poll
    stage: Stage
    votes: tuple[tuple[str, int], ...]

    def tally(self) -> Tally:
        """The votes, counted."""
        return tally(self.poll, [option for _name, option in self.votes])


@dataclass(frozen=True, slots=True)
class Ballot:
    """A poll as a student sees it.

    Attributes:
        number: Its number.
        poll: The question; before the reveal without measures and without the right option.
        stage: As of `Asked`.
        mine: Place of the option the student chose; None before.
        tally: The votes; None before the reveal.
    """

    number: int
    poll: Poll
    stage: Stage
    mine: int | None
    tally: Tally | None


def tally(poll: Poll, chosen: Sequence[int]) -> Tally:
    """Count votes.

    Args:
        poll: The question.
        chosen: Place of the option of each vote.

    Example:
        >>> poll = Poll("free", "Which?", ("a", "b", "c"), right=0)
        >>> found = tally(poll, [0, 0, 0, 1])
        >>> found.counts, found.most, found.share, found.agreeing
        ((3, 1, 0), (0,), 0.75, 0.75)
        >>> round(found.low, 2), round(found.high, 2)
        (0.3, 0.95)
    """
    votes = Counter(chosen)
    counts = tuple(votes[place] for place in range(len(poll.options)))
    n, top = sum(counts), max(counts)
    most = tuple(place for place, count in enumerate(counts) if count == top and n)
    low, high = wilson_interval(top, n)
    agreeing = None if poll.right is None or not n else counts[poll.right] / n
    return Tally(counts, most, top / n if n else 0.0, low, high, agreeing)


def check(poll: Poll, limits: Settings) -> None:
    """Refuse a poll that nobody could answer, or that is too large.

    Raises:
        EmptyText, TextTooLong: The text.
        TooFewOptions, TooManyOptions, SameOptions, OptionTooLong: The options.
    """
    if not poll.text.strip():
        raise EmptyText
    if len(poll.text) > limits.max_poll_chars:
        raise TextTooLong(limit=limits.max_poll_chars, got=len(poll.text))
    if len(poll.options) < 2:
        raise TooFewOptions
    if len(poll.options) > limits.max_poll_options:
        raise TooManyOptions(limit=limits.max_poll_options, got=len(poll.options))
    for place, option in enumerate(poll.options):
        if len(option) > limits.max_poll_option_chars:
            raise OptionTooLong(option=place + 1, limit=limits.max_poll_option_chars, got=len(option))
        if any(is_same(option, other) for other in poll.options[:place]):
            raise SameOptions(option=place + 1)


@dataclass(eq=False)
class _Asked:
    number: int
    poll: Poll
    stage: Stage = "open"
    votes: dict[str, tuple[str, int]] = field(default_factory=dict)  # secret of a student -> name, option

    def seen(self) -> Asked:
        return Asked(self.number, self.poll, self.stage, tuple(self.votes.values()))


class Polls:
    """The polls of a class. Safe to share between threads; whoever calls has checked who may.

    Args:
        limits: Settings with the limits of a poll.
    """

    def __init__(self, limits: Settings) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._asked: list[_Asked] = []
        self._current: _Asked | None = None
        self._next = 1

    # ---- the teacher

    def open(self, poll: Poll) -> int:
        """Put a question to the class, instead of the one before; gives its number.

        Of more polls than may be kept the oldest is forgotten.

        Raises:
            InputError: As `check`.
        """
        check(poll, self._limits)
        with self._lock:
            if self._current is not None and self._current.stage == "open":
                self._current.stage = "closed"
            self._current = _Asked(self._next, poll)
            self._next += 1
            self._asked = [*self._asked, self._current][-self._limits.max_polls :]
            return self._current.number

    def close(self) -> None:
        """Take no votes any more."""
        with self._lock:
            if self._current is not None and self._current.stage == "open":
                self._current.stage = "closed"

    def reveal(self) -> None:
        """Show all what was chosen, and what the model says; no vote counts from now on."""
        with self._lock:
            if self._current is not None:
                self._current.stage = "revealed"

    def take_away(self) -> None:
        """Show no poll any more; its votes are kept until the end of the class."""
        with self._lock:
            if self._current is not None and self._current.stage == "open":
                self._current.stage = "closed"
            self._current = None

    def current(self) -> Asked | None:
        """The poll that the class sees."""
        with self._lock:
            return self._current.seen() if self._current else None

    def all(self) -> tuple[Asked, ...]:
        """Every poll that is kept, in the order in which they were asked."""
        with self._lock:
            return tuple(one.seen() for one in self._asked)

    def clear(self) -> None:
        """Forget everything: the class has ended."""
        with self._lock:
            self._asked, self._current = [], None

    # ---- the students

    def ballot(self, member_id: str) -> Ballot | None:
        """The poll that the class sees, as this student does."""
        with self._lock:
            if (one := self._current) is None:
                return None
            mine = one.votes[member_id][1] if member_id in one.votes else None
            if one.stage == "revealed":
                return Ballot(one.number, one.poll, one.stage, mine, one.seen().tally())
            return Ballot(one.number, one.poll.hidden(), one.stage, mine, None)

    def vote(self, number: int, member_id: str, name: str, option: int) -> None:
        """Choose an option, instead of the one chosen before.

        Args:
            number: The poll.
            member_id: The student's secret: one vote each.
            name: The nickname.
            option: Place of the option.

        Raises:
            PollOver: It is not this poll that is open, it has no such option, or more votes than it may have.
        """
        with self._lock:
            one = self._current
            if one is None or one.number != number or one.stage != "open":
                raise PollOver
            is_full = member_id not in one.votes and len(one.votes) >= self._limits.max_poll_votes
            if not 0 <= option < len(one.poll.options) or is_full:
                raise PollOver
            one.votes[member_id] = name, option

    def forget(self, member_id: str) -> None:
        """A student leaves the class: a vote that could still be changed leaves too."""
        with self._lock:
            if self._current is not None and self._current.stage == "open":
                self._current.votes.pop(member_id, None)
