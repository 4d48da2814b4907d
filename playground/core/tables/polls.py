"""Tables of a class's polls: the result of one, and who answered what."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

import pandas as pd

from playground.core.classroom.polls import Asked, Poll, Tally
from playground.core.metrics.intervals import wilson_interval

LABEL_CHARS = 28


def results(poll: Poll, tally: Tally) -> pd.DataFrame:
    """One row per option, in the order in which they stand.

    Returns:
        label, option, votes, share (NaN without a vote), low, high (Wilson's 95 % interval of the share),
        measure (the model's value, NaN where there is none), is_right (None where no option is).
    """
    n = tally.n
    rows = []
    for place, (option, votes) in enumerate(zip(poll.options, tally.counts, strict=True)):
        share = votes / n if n else float("nan")
        measure = poll.measures[place] if poll.measures else float("nan")
        is_right = None if poll.right is None else place == poll.right
        interval = wilson_interval(votes, n)
        rows.append((label(poll, place), option, votes, share, *interval, measure, is_right))
    return pd.DataFrame(rows, columns=_RESULTS)


_RESULTS = ["label", "option", "votes", "share", "low", "high", "measure", "is_right"]


def label(poll: Poll, place: int) -> str:
    """An option in one line: its letter, and its beginning where it has a line of its own elsewhere.

    Example:
        >>> label(Poll("free", "Which?", ("this one", "b")), 0)
        'A: this one'
    """
    option = " ".join(poll.options[place].split())
    return f"{letter(place)}: {option if len(option) <= LABEL_CHARS else option[:LABEL_CHARS] + '…'}"


def letter(place: int) -> str:
    """The letter of the option at this place.

    Example:
        >>> letter(0), letter(5)
        ('A', 'F')
    """
    return ascii_uppercase[place]


def answers(polls: Sequence[Asked]) -> pd.DataFrame:
    """One row per vote.

    Args:
        polls: The polls, in the order in which they were asked.

    Returns:
        poll (its place, from 1), question, nickname, option, correct ("yes", "no", "" where no option is).
    """
    rows = [
        (place, one.poll.text, name, one.poll.options[option], _correct(one.poll, option))
        for place, one in enumerate(polls, 1)
        for name, option in one.votes
    ]
    return pd.DataFrame(rows, columns=["poll", "question", "nickname", "option", "correct"])


def _correct(poll: Poll, option: int) -> str:
    if poll.right is None:
        return ""
    return "yes" if option == poll.right else "no"
