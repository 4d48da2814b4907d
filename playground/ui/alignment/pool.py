"""Votes of this session, and those that the class has put together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import streamlit as st

from playground.core.classroom.pair_votes import PairVotes, votes_of
from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.sides import PairKey, key_of
from playground.core.preferences.votes import Better, Vote
from playground.ui import polls
from playground.ui.choose import choose
from playground.ui.room import is_teacher, member, member_id, room
from playground.ui.state import outlives_reload, settings
from playground.ui.text import _

VOTES = "al_votes"  # pair -> the session's vote, of no widget
MOST = 500  # votes of a session
ALONE = "me"
MINE, CLASS = "mine", "class"
outlives_reload(VOTES)


@lru_cache
def of_class() -> PairVotes:
    """The votes of the class; they end with it."""
    made = PairVotes(MOST * settings().max_class_members)
    room().when_it_ends(made.clear)
    return made


def mine() -> tuple[Vote, ...]:
    """The votes of this session, oldest first."""
    return tuple(_mine().values())


def my_vote(pair: PreferencePair) -> Vote | None:
    """The session's vote on a pair."""
    return _mine().get(key_of(pair))


def put(pair: PreferencePair, first: str, second: str, better: Better) -> None:
    """Vote; a student of the class votes in the class too.

    Args:
        pair: The pair.
        first, second: Its answers as they stood on the page.
        better: The choice.
    """
    student = member()
    vote = Vote(student.name if student else ALONE, pair.prompt, first, second, better)
    votes = _mine()
    votes.pop(vote.pair, None)
    votes[vote.pair] = vote
    while len(votes) > MOST:
        del votes[next(iter(votes))]
    if student is not None:
        of_class().put(member_id(), vote)


def take_back() -> None:
    """Forget the votes of this session; those that the class has stay there until its end."""
    _mine().clear()


def whose() -> str:
    """Draw whose votes count, where there is a class; `MINE` elsewhere."""
    if not room().state().is_open or (member() is None and not is_teacher()):
        return MINE
    return choose("al_whose", {MINE: _("My votes"), CLASS: _("The class's votes")}, _("Whose votes"))


def chosen() -> tuple[Vote, ...]:
    """The votes that count, as `whose` stands in the link."""
    is_class = st.session_state.get("al_whose", "") == CLASS and room().state().is_open
    return class_votes() if is_class else mine()


def class_votes() -> tuple[Vote, ...]:
    """The votes of the class: on this page, and in polls on the better continuation whose result is known."""
    return (*of_class().all(), *votes_of(polls.polls().all(), is_revealed=not is_teacher()))


def unvoted(pairs: Iterable[PreferencePair]) -> list[int]:
    """Places of the pairs that this session has not voted on."""
    known = _mine()
    return [place for place, pair in enumerate(pairs) if key_of(pair) not in known]


def _mine() -> dict[PairKey, Vote]:
    found: dict[PairKey, Vote] = st.session_state.setdefault(VOTES, {})
    return found
