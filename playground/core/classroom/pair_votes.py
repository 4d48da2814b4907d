"""Votes of a class on pairs of answers: on the page, and in polls on the better continuation.

Nothing of it is written anywhere: votes end with the class.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from playground.core.classroom.polls import Asked
from playground.core.preferences.votes import Better, Vote

_PLACES: tuple[Better, ...] = ("first", "second")
Key = tuple[str, tuple[str, str, str]]  # secret of a student, and the pair


class PairVotes:
    """The votes that the students of a class have put together. Safe to share between threads.

    Args:
        most: Votes that are kept; of more the oldest is forgotten.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._votes: dict[Key, Vote] = {}

    def put(self, member_id: str, vote: Vote) -> None:
        """Count a student's vote, instead of an earlier one on the same pair.

        Args:
            member_id: The student's secret: one vote on a pair each.
            vote: The vote, with the nickname as voter.
        """
        with self._lock:
            self._votes.pop((member_id, vote.pair), None)
            self._votes[member_id, vote.pair] = vote
            while len(self._votes) > self._most:
                del self._votes[next(iter(self._votes))]

    def all(self) -> tuple[Vote, ...]:
        """All votes, in the order in which they came."""
        with self._lock:
            return tuple(self._votes.values())

    def clear(self) -> None:
        """Forget everything: the class has ended."""
        with self._lock:
            self._votes = {}


def votes_of(asked: Iterable[Asked], *, is_revealed: bool = True) -> tuple[Vote, ...]:
    """The votes of polls on the better of two continuations.

    Args:
        asked: Polls of any kind.
        is_revealed: True leaves out those whose result the class has not seen; False those that are open.

    Example:
        >>> from playground.core.classroom.polls import Poll
        >>> poll = Poll("better", "Hi,", (" there.", " you."))
        >>> [vote.winner for vote in votes_of([Asked(1, poll, "revealed", (("Mina", 1),))])]
        [' you.']
    """
    stages = ("revealed",) if is_revealed else ("revealed", "closed")
    return tuple(
        Vote(name, one.poll.text, *one.poll.options[:2], _PLACES[option])
        for one in asked
        if one.poll.kind == "better" and len(one.poll.options) == 2 and one.stage in stages
        for name, option in one.votes
    )
