"""Sides of a pair: what its two answers are examples of, so that votes on many pairs are votes on two things.

A topic names what the answers of its pairs differ in. Votes on pairs of one topic then compare its two sides,
whatever the prompt: "polite" against "rude".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from playground.core.canonical import canonical
from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.votes import Vote

SIDES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"polite": ("polite", "rude"), "short": ("short", "long"), "answer": ("answer", "refuse")}
)
"""Topic of a shipped pair -> its sides, that of the chosen answer first."""
CHOSEN, REJECTED = "chosen", "rejected"

PairKey = tuple[str, str, str]


def key_of(pair: PreferencePair) -> PairKey:
    """Prompt and both answers in canonical form, the same for a pair and for it turned, as `Vote.pair`.

    Example:
        >>> one = PreferencePair("Hi", "What?", "Hello!")
        >>> key_of(one) == key_of(one.turned()) == ("Hi", "Hello!", "What?")
        True
    """
    prompt, chosen, rejected = pair.texts
    first, second = sorted((chosen, rejected))
    return prompt, first, second


def sides_of(pair: PreferencePair) -> tuple[str, str]:
    """Names of the sides of a pair's chosen and rejected answer.

    Example:
        >>> sides_of(PreferencePair("Hi", "Hello!", "What?", "polite"))
        ('polite', 'rude')
        >>> sides_of(PreferencePair("Hi", "Hello!", "What?", "tone")), sides_of(PreferencePair("", "a", "b"))
        (('tone: chosen', 'tone: rejected'), ('chosen', 'rejected'))
    """
    if pair.topic in SIDES:
        return SIDES[pair.topic]
    before = f"{pair.topic}: " if pair.topic else ""
    return f"{before}{CHOSEN}", f"{before}{REJECTED}"


def on_sides(votes: Iterable[Vote], pairs: Iterable[PreferencePair]) -> tuple[Vote, ...]:
    """Votes with the names of sides in place of the answers; each pair stays one to vote on.

    Args:
        votes: Votes on answers; those on none of the pairs are left out.
        pairs: The pairs, as they came.

    Example:
        >>> pair = PreferencePair("Hi", "Hello!", "What?", "polite")
        >>> (vote,) = on_sides([Vote("Mina", "Hi", "What?", "Hello!", "second")], [pair])
        >>> vote.first, vote.second, vote.better
        ('rude', 'polite', 'second')
    """
    known = {key_of(one): one for one in pairs}
    found = []
    for vote in votes:
        pair = known.get(vote.pair)
        if pair is None:
            continue
        chosen, rejected = sides_of(pair)
        is_turned = canonical(vote.first) != pair.texts[1]
        first, second = (rejected, chosen) if is_turned else (chosen, rejected)
        found.append(Vote(vote.voter, "\n".join(vote.pair), first, second, vote.better))
    return tuple(found)


def as_they_come(pairs: Iterable[PreferencePair], voter: str) -> tuple[Vote, ...]:
    """The choices that pairs come with, as votes of who wrote them.

    Example:
        >>> as_they_come([PreferencePair("Hi", "Hello!", "What?")], "author")[0].winner
        'Hello!'
    """
    return tuple(Vote(voter, one.prompt, one.chosen, one.rejected, "first") for one in pairs)


def mixed(pairs: Sequence[PreferencePair]) -> tuple[PreferencePair, ...]:
    """Pairs with their topics by turns, so that the first few are of all of them.

    Example:
        >>> pairs = [PreferencePair(prompt, "a", "b", prompt[0]) for prompt in ("x1", "x2", "x3", "y1")]
        >>> [one.prompt for one in mixed(pairs)]
        ['x1', 'y1', 'x2', 'x3']
    """
    topics: dict[str, list[PreferencePair]] = {}
    for one in pairs:
        topics.setdefault(one.topic, []).append(one)
    longest = max(map(len, topics.values()), default=0)
    return tuple(of[at] for at in range(longest) for of in topics.values() if at < len(of))


def with_topics(
    voted: Iterable[PreferencePair], pairs: Iterable[PreferencePair]
) -> tuple[PreferencePair, ...]:
    """Pairs with the topics that the same pairs have elsewhere, in either direction.

    Example:
        >>> known = PreferencePair("Hi", "Hello!", "What?", "polite")
        >>> with_topics([PreferencePair("Hi", "What?", "Hello!")], [known])[0].topic
        'polite'
    """
    topics = {key_of(one): one.topic for one in pairs}
    return tuple(
        PreferencePair(one.prompt, one.chosen, one.rejected, topics.get(key_of(one), one.topic))
        for one in voted
    )
