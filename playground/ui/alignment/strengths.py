"""Bradley-Terry strengths of the votes, agreement of those who voted, and the votes to take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts import votes as charts
from playground.core.preferences.agreement import agreement
from playground.core.preferences.pair import PreferencePair, jsonl
from playground.core.preferences.sides import as_they_come, key_of, on_sides, with_topics
from playground.core.preferences.strengths import Strengths, fit
from playground.core.preferences.votes import Vote, Wins, counted, last_of_each, majority
from playground.core.tables import votes as frames
from playground.ui import show
from playground.ui.alignment import pairs, pool
from playground.ui.choose import choose
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, strong

MOST_ITEMS = 12  # answers that are drawn
LONGEST = 32  # characters of an answer in the picture
GAPS = "al_gaps"


@dataclass(frozen=True)
class Counted:
    """Votes that are drawn.

    Attributes:
        votes: On sides or answers.
        is_voted: True if somebody voted here; False for the choices that the pairs come with.
    """

    votes: tuple[Vote, ...]
    is_voted: bool

    @property
    def wins(self) -> Wins:
        """The votes, counted."""
        return counted(self.votes)


def count(context: PageContext, shown: Sequence[PreferencePair], by: str) -> Counted:
    """The votes on the pairs shown, or, before the first, the choices that they come with.

    Args:
        context: From `frame.page`.
        shown: The pairs.
        by: "sides" or "answers".
    """
    known = {key_of(one) for one in shown}
    cast = tuple(vote for vote in pool.chosen() if vote.pair in known)
    given = cast or as_they_come(shown, pool.ALONE)
    votes = on_sides(given, shown) if by == "sides" else given
    return Counted(last_of_each(votes), bool(cast))


def picture(context: PageContext, shown: Sequence[PreferencePair]) -> None:
    """Draw the strengths, what they say, and the votes to take away."""
    st.markdown(f"## {_('What do the votes prefer?')}")
    with st.container(horizontal=True, vertical_alignment="center"):
        pool.whose()
        by = choose("al_by", {"sides": _("By sides"), "answers": _("By answers")}, _("Strengths"))
    if not shown:
        return
    found = count(context, shown, by)
    if not found.is_voted:
        st.caption(_("No votes yet: these are the choices that the pairs come with."))
    wins = found.wins
    strong_ones = fit(wins.counts)
    table = frames.strengths([_name(one) for one in wins.items], wins, strong_ones)
    ends = (
        table
        if len(table) <= MOST_ITEMS
        else table.iloc[[*range(MOST_ITEMS // 2), *range(-(MOST_ITEMS // 2), 0)]]
    )
    words = {
        "strength": _("strength (log-odds, nats)"), "low": _("from (95 %)"), "high": _("to (95 %)"),
        "won": _("won"), "lost": _("lost"), "item": _("preferred"),
    }  # fmt: skip
    show.show_chart(
        charts.strengths(words), "al_strengths", _("Bradley-Terry strengths with their intervals"), data=ends
    )
    st.markdown(reading(wins, strong_ones))
    if len(ends) < len(table):
        told = _("The {n} strongest and weakest are drawn; the table has all {all}.")
        st.caption(told.format(n=len(ends), all=len(table)))
    show.under_picture(
        "al_votes",
        frame=lambda: table,
        code=lambda: show.code("bradley_terry", items=[*wins.items], wins=wins.counts.tolist()),
        picture="al_strengths",
    )
    _agreement(context, shown)
    _take_away(context)


def reading(wins: Wins, found: Strengths) -> str:
    """The sentence that reads the strengths; Markdown."""
    best = most_different(wins, found)
    if best is None:
        return ""
    winner, loser = best
    chance, low, high = found.chance(winner, loser)
    told = _(
        "{winner} is preferred to {loser} with probability {chance:.0%} (95 % interval {low:.0%} "
        "to {high:.0%})."
    )
    words = told.format(
        winner=strong(_name(wins.items[winner])), loser=strong(_name(wins.items[loser])), chance=chance,
        low=low, high=high,
    )  # fmt: skip
    if found.prior_draws:
        words += " " + _(
            "One side, or several together, never lost to the rest, so the most likely strengths are "
            "infinite; each was therefore given two ties against an imagined answer of strength 0, and the "
            "bars are intervals of how far it is ahead of that one."
        )
    if found.groups.max(initial=0) > 0:
        words += " " + (
            _("Only strengths that votes connect can be compared.")
            if found.prior_draws
            else _("Only strengths that votes connect can be compared: 0 is the mean of each such group.")
        )
    return words


def most_different(wins: Wins, found: Strengths) -> tuple[int, int] | None:
    """The two items, connected by votes, whose strengths are furthest apart; None where all are equal."""
    n = len(wins.items)
    both = [
        (float(found.values[i] - found.values[j]), i, j)
        for i in range(n) for j in range(n) if found.groups[i] == found.groups[j]
    ]  # fmt: skip
    gap, i, j = max(both, default=(0.0, 0, 0))
    return (i, j) if gap > 1e-9 else None


def _name(item: str) -> str:
    """A side in the reader's language, or the beginning of an answer."""
    sides = {
        "polite": _("polite"), "rude": _("rude"), "short": _("short"), "long": _("long"),
        "answer": _("answered"), "refuse": _("refused"), "chosen": _("chosen where it comes from"),
        "rejected": _("rejected where it comes from"),
    }  # fmt: skip
    topic, colon, side = item.rpartition(": ")
    if item in sides:
        return sides[item]
    if colon and side in ("chosen", "rejected"):
        return f"{topic}: {sides[side]}"
    text = " ".join(item.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _agreement(context: PageContext, shown: Sequence[PreferencePair]) -> None:
    """Say how far those who voted agree, and how far the model's own probabilities do."""
    known = {key_of(one): one for one in shown}
    cast = [vote for vote in pool.chosen() if vote.pair in known]
    found = agreement(cast)
    if found.n_pairs:
        told = ngettext(
            "On {n} pair that several voted on, two of them say the same with probability {share:.0%} "
            "({low:.0%} to {high:.0%}); Krippendorff's alpha is {alpha:.2f}: 1 is full agreement, 0 "
            "is chance.",
            "On {n} pairs that several voted on, two of them say the same with probability {share:.0%} "
            "({low:.0%} to {high:.0%}); Krippendorff's alpha is {alpha:.2f}: 1 is full agreement, 0 "
            "is chance.",
            found.n_pairs,
        )
        if np.isnan(found.alpha):
            told = ngettext(
                "On the {n} pair that several voted on all say that there is no difference.",
                "On the {n} pairs that several voted on all say that there is no difference.",
                found.n_pairs,
            )
        st.markdown(
            told.format(n=found.n_pairs, share=found.share, low=found.low, high=found.high, alpha=found.alpha)
        )
    gaps = st.session_state.get(GAPS, {})
    judged = [
        (vote, known[vote.pair], gaps[context.model.model_id, vote.pair])
        for vote in last_of_each(cast)
        if vote.winner and (context.model.model_id, vote.pair) in gaps
    ]
    if not judged:
        return
    agrees = [
        sum((gap[at] > 0) == (vote.winner == pair.texts[1]) for vote, pair, gap in judged) for at in (0, 1)
    ]
    told = ngettext(
        "The model's own probability agrees with {in_all} of {n} vote; its probability per token "
        "with {each}.",
        "The model's own probability agrees with {in_all} of {n} votes; its probability per token "
        "with {each}.",
        len(judged),
    )
    st.markdown(told.format(in_all=agrees[0], each=agrees[1], n=len(judged)))


def _take_away(context: PageContext) -> None:
    """Draw the buttons that give the votes as pairs, and forget them."""
    cast = pool.chosen()
    if not cast:
        return
    learned = with_topics(majority(cast), pairs.every_pair(context))
    told = ngettext("{n} vote", "{n} votes", len(cast)).format(n=len(cast))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(told, width="content")
        st.download_button(
            _("Votes as .jsonl"), lambda: jsonl(learned), "preferences.jsonl", "application/jsonl",
            key="al_votes_jsonl", on_click="ignore", icon=":material/download:", disabled=not learned,
        )  # fmt: skip
        st.button(_("Forget my votes"), key="al_votes_clear", on_click=pool.take_back)
