"""Votes of a class on two answers, as pairs that a reward model or DPO learns from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from playground.core.classroom.polls import Asked


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to a prompt, of which one has more votes.

    Attributes:
        prompt: The text before both.
        chosen, rejected: The answer with more votes, and the other one.
        votes, votes_against: Votes of each.
    """

    prompt: str
    chosen: str
    rejected: str
    votes: int
    votes_against: int


def preferences(asked: Iterable[Asked]) -> tuple[Preference, ...]:
    """The pairs a class has voted on, in the order in which they were first asked.

    Only polls that take no votes any more count. The votes of equal pairs are added up, whichever answer
    stood first. A pair without a majority is left out: nothing is preferred.

    Args:
        asked: Polls of any kind.

    Example:
        >>> from playground.core.classroom.polls import Poll
        >>> poll = Poll("better", "Hi,", (" there.", " you."))
        >>> preferences([Asked(1, poll, "closed", (("Mina", 1), ("Jun", 1), ("Ana", 0)))])
        (Preference(prompt='Hi,', chosen=' you.', rejected=' there.', votes=2, votes_against=1),)
    """
    votes: dict[tuple[str, str, str], list[int]] = {}
    for one in asked:
        if one.poll.kind != "better" or one.stage == "open":
            continue
        first, second = sorted(one.poll.options)
        counted = votes.setdefault((one.poll.text, first, second), [0, 0])
        for option, count in zip(one.poll.options, one.tally().counts, strict=True):
            counted[option == second] += count
    found = []
    for (prompt, first, second), (for_first, for_second) in votes.items():
        if for_first > for_second:
            found.append(Preference(prompt, first, second, for_first, for_second))
        elif for_second > for_first:
            found.append(Preference(prompt, second, first, for_second, for_first))
    return tuple(found)


def jsonl(pairs: Iterable[Preference]) -> bytes:
    r"""Pairs as JSON lines, the form in which trl and datasets read preferences.

    Example:
        >>> jsonl([Preference("가", "나", "다", 3, 1)]).decode()
        '{"prompt": "가", "chosen": "나", "rejected": "다"}\n'
    """
    rows = ({"prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected} for one in pairs)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
