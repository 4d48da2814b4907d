"""Votes: the last one counts, ties are halves, and a majority makes a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.preferences.agreement import agreement, both_ways, krippendorff
from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.votes import Vote, counted, last_of_each, majority

ANSWERS = ("a", "b", "c")
votes_of_a_class = st.lists(
    st.builds(
        Vote,
        st.sampled_from(["Mina", "Jun", "Ana"]),
        st.sampled_from(["Hi", "Bye"]),
        st.sampled_from(ANSWERS),
        st.sampled_from(ANSWERS),
        st.sampled_from(["first", "second", "tie"]),
    ),
    max_size=20,
)


def turned(vote: Vote) -> Vote:
    better = {"first": "second", "second": "first", "tie": "tie"}[vote.better]
    return Vote(vote.voter, vote.prompt, vote.second, vote.first, better)  # type: ignore[arg-type]


def test_a_second_vote_of_a_voter_on_a_pair_takes_the_first_back() -> None:
    votes = [Vote("Mina", "Hi", "a", "b", "first"), Vote("Mina", "Hi", "b", "a", "first")]
    assert [one.winner for one in last_of_each(votes)] == ["b"]
    assert counted(votes).counts.tolist() == [[0, 1], [0, 0]]
    assert majority(votes) == (PreferencePair("Hi", "b", "a"),)


def test_a_tie_is_half_a_win_for_each_and_no_majority() -> None:
    votes = [Vote("Mina", "Hi", "a", "b", "tie"), Vote("Jun", "Hi", "a", "b", "first")]
    assert counted(votes).counts.tolist() == [[0, 1.5], [0.5, 0]]
    assert majority(votes) == (PreferencePair("Hi", "a", "b"),)
    assert majority([*votes, Vote("Ana", "Hi", "b", "a", "first")]) == ()


def test_equal_answers_are_no_pair_and_hangul_typed_in_parts_is_one_answer() -> None:
    parts = "\u1112\u1161\u11ab"
    assert counted([Vote("Mina", "Hi", "한", parts, "first")]).items == ()
    assert counted(
        [Vote("Mina", "Hi", "한", "b", "first"), Vote("Jun", "Hi", "b", parts, "first")]
    ).items == ("한", "b")


@given(votes_of_a_class)
def test_who_stands_first_means_nothing(votes: list[Vote]) -> None:
    same, other = counted(votes), counted([turned(one) for one in votes])
    order = [other.items.index(item) for item in same.items]
    assert same.counts.tolist() == other.counts[np.ix_(order, order)].tolist()
    assert same.counts.sum() == len(last_of_each(votes)), "a vote is one win, shared or not"
    assert majority(votes) == majority([turned(one) for one in votes])


def test_alpha_of_krippendorffs_own_example() -> None:
    """Four observers, twelve things, some not seen: Krippendorff 2011, section D, for names .743."""
    observers = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    units = [
        [name for name in column if name != "."] for column in zip(*map(str.split, observers), strict=True)
    ]
    assert round(krippendorff(units), 3) == 0.743


def test_agreement_by_hand() -> None:
    """Three voters of whom one dissents on the second pair: 3 + 1 of 3 + 3 pairs of voters agree."""
    votes = [Vote(name, text, "a", "b", "first") for name in ("Mina", "Jun", "Ana") for text in ("x", "y")]
    votes[-1] = turned(votes[-1])
    votes[-1] = Vote("Ana", "y", "a", "b", "second")
    found = agreement(votes)
    assert (found.n_pairs, found.n_votes) == (2, 6)
    assert found.share == pytest.approx(4 / 6)
    assert found.low <= found.share <= found.high
    assert found.alpha == pytest.approx(krippendorff(both_ways(votes)))


def test_without_two_voters_of_a_pair_nothing_is_known() -> None:
    found = agreement([Vote("Mina", "x", "a", "b", "first"), Vote("Jun", "y", "a", "b", "first")])
    assert found.n_pairs == 0
    assert np.isnan([found.share, found.low, found.alpha]).all()


@given(votes_of_a_class)
def test_alpha_is_krippendorffs_of_both_ways_and_no_order_of_answers_changes_it(votes: list[Vote]) -> None:
    found = agreement(votes, n_resamples=5)
    again = agreement([turned(one) for one in votes], n_resamples=5)
    assert found.alpha == pytest.approx(krippendorff(both_ways(votes)), nan_ok=True)
    assert (found.n_pairs, found.share) == pytest.approx((again.n_pairs, again.share), nan_ok=True)
    assert found.alpha == pytest.approx(again.alpha, nan_ok=True)


def test_chance_agreement_has_an_alpha_near_0() -> None:
    draw = np.random.default_rng(0)
    votes = [
        Vote(f"voter {voter}", f"text {text}", "a", "b", "first" if draw.random() < 0.5 else "second")
        for voter in range(6)
        for text in range(200)
    ]
    found = agreement(votes)
    assert found.alpha_low < 0 < found.alpha_high
    assert found.low < 0.5 < found.high
