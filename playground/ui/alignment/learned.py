"""Pairs that the page's models learn from: those voted on, or those that come with a choice already."""

from __future__ import annotations

from dataclasses import dataclass

from playground.core.preferences.pair import MIN_PROMPTS, PreferencePair, split
from playground.core.preferences.sides import with_topics
from playground.core.preferences.votes import last_of_each, majority
from playground.ui.alignment import pairs, pool
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext


@dataclass(frozen=True, slots=True)
class LearnFrom:
    """Pairs to learn from.

    Attributes:
        pairs: The pairs, of at least two prompts.
        is_voted: True if somebody voted on them here; False for the choices of those who wrote them.
        n_votes: Votes on them, also where they are too few to learn from.
        others: Pairs of the set that nobody voted on, as they come; () before there are votes.
    """

    pairs: tuple[PreferencePair, ...]
    is_voted: bool
    n_votes: int
    others: tuple[PreferencePair, ...] = ()

    @property
    def train(self) -> tuple[PreferencePair, ...]:
        """Pairs that are learned from."""
        return split(self.pairs)[0]

    @property
    def held_out(self) -> tuple[PreferencePair, ...]:
        """Pairs of other prompts, which are only measured."""
        return split(self.pairs)[1]

    @property
    def told(self) -> str:
        """The pairs in a sentence; Markdown."""
        train, held_out = split(self.pairs)
        if self.is_voted:
            told = ngettext(
                "Learned from: your {n} vote; pairs to learn from: {train}, held out: {held_out}.",
                "Learned from: your {n} votes; pairs to learn from: {train}, held out: {held_out}.",
                self.n_votes,
            )
        else:
            told = _(
                "Learned from: the choices that the pairs come with; pairs to learn from: {train}, held out: "
                "{held_out}. Vote on pairs of two prompts or more to have it learn from your votes."
            )
        return told.format(n=self.n_votes, train=len(train), held_out=len(held_out))


def learn_from(context: PageContext) -> LearnFrom:
    """The pairs with a majority of the votes; before there are votes on two prompts, all as they come."""
    cast = last_of_each(pool.chosen())
    voted = with_topics(majority(cast), pairs.every_pair(context))
    given = pairs.pairs_of(context, *pairs.wanted())
    if len({one.prompt_key for one in voted}) >= MIN_PROMPTS:
        prompts = {one.prompt_key for one in voted}
        others = tuple(one for one in given if one.prompt_key not in prompts)
        return LearnFrom(voted, True, len(cast), others)
    if len({one.prompt_key for one in given}) < MIN_PROMPTS:
        given = pairs.pairs_of(context, pairs.SHIPPED, "all")
    return LearnFrom(given, False, len(cast))
