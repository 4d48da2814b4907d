"""Votes on sides, features of answers, the votes of a class: small cases counted by hand."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from playground.core.classroom.pair_votes import PairVotes, votes_of
from playground.core.classroom.polls import Asked, Poll
from playground.core.preferences.features import DIRECTIONS, FEATURES, counts, rule_accuracy
from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import SIDES, as_they_come, key_of, mixed, on_sides, with_topics
from playground.core.preferences.strengths import fit
from playground.core.preferences.votes import Vote, counted
from playground.core.tables import rewards, votes

PAIRS = shipped_pairs("en")


def test_the_choices_that_pairs_come_with_are_sixteen_votes_a_topic() -> None:
    wins = counted(on_sides(as_they_come(PAIRS, "author"), PAIRS))
    assert set(wins.items) == {side for sides in SIDES.values() for side in sides}
    place = {name: at for at, name in enumerate(wins.items)}
    for better, worse in SIDES.values():
        assert wins.counts[place[better], place[worse]] == 16
    assert wins.counts.sum() == 48


@pytest.mark.parametrize("better", ["first", "second", "tie"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_vote_on_answers_is_one_on_their_sides_whichever_stood_first(better: str, is_turned: bool) -> None:
    pair = PreferencePair("Hi", "Hello!", "What?", "polite")
    answers = (pair.rejected, pair.chosen) if is_turned else (pair.chosen, pair.rejected)
    (found,) = on_sides([Vote("Mina", "Hi", *answers, better)], [pair])  # type: ignore[arg-type]
    names = {pair.chosen: "polite", pair.rejected: "rude"}
    assert (found.first, found.second, found.better) == (names[answers[0]], names[answers[1]], better)


def test_a_vote_on_an_unknown_pair_is_left_out() -> None:
    assert on_sides([Vote("Mina", "Hi", "a", "b", "first")], PAIRS) == ()


def test_mixed_pairs_are_all_pairs_and_twelve_of_them_are_of_all_topics() -> None:
    found = mixed(PAIRS)
    assert sorted(map(key_of, found)) == sorted(map(key_of, PAIRS))
    assert [sum(one.topic == topic for one in found[:12]) for topic in SIDES] == [4, 4, 4]


def test_topics_come_back_to_turned_pairs() -> None:
    turned = [one.turned() for one in PAIRS]
    bare = [PreferencePair(one.prompt, one.chosen, one.rejected) for one in turned]
    assert [one.topic for one in with_topics(bare, PAIRS)] == [one.topic for one in PAIRS]


def test_short_answers_are_shorter_and_the_other_topics_are_no_giveaway() -> None:
    by_topic = {topic: [one for one in PAIRS if one.topic == topic] for topic in SIDES}
    assert rule_accuracy("characters", by_topic["short"]).share == 1
    assert rule_accuracy("characters", by_topic["polite"]).share == 0.5
    assert set(DIRECTIONS) == set(FEATURES)


def test_features_are_counted_as_by_hand() -> None:
    assert counts("polite", ["Thank you, please!", "네, 감사합니다."]).tolist() == [2, 2]
    assert counts("refusal", ["I cannot, and I refuse.", "할 수 없어요."]).tolist() == [2, 1]
    assert counts("characters", ["e\u0301"]).tolist() == [1], "canonical form"


def test_votes_of_a_class_are_one_a_student_and_pair_and_end_with_it() -> None:
    pool = PairVotes(3)
    pool.put("secret", Vote("Mina", "Hi", "a", "b", "first"))
    pool.put("secret", Vote("Mina", "Hi", "b", "a", "first"))
    assert [one.winner for one in pool.all()] == ["b"]
    pool.put("other", Vote("Mina", "Hi", "a", "b", "first"))
    assert len(pool.all()) == 2, "two students with one name"
    for prompt in "xyz":
        pool.put("secret", Vote("Mina", prompt, "a", "b", "first"))
    assert [one.prompt for one in pool.all()] == ["x", "y", "z"]
    pool.clear()
    assert pool.all() == ()


def test_votes_of_a_class_come_from_many_threads() -> None:
    pool = PairVotes(10_000)

    def vote(student: int) -> None:
        for prompt in range(50):
            pool.put(str(student), Vote("x", str(prompt), "a", "b", "first"))

    threads = [threading.Thread(target=vote, args=(student,)) for student in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(pool.all()) == 400


def test_polls_count_once_their_result_is_known() -> None:
    poll = Poll("better", "Hi,", (" there.", " you."))
    asked = [Asked(1, poll, stage, (("Mina", 0), ("Jun", 1))) for stage in ("open", "closed", "revealed")]
    assert len(votes_of(asked)) == 2
    assert len(votes_of(asked, is_revealed=False)) == 4
    assert votes_of([Asked(2, Poll("free", "?", ("a", "b")), "revealed", (("Mina", 0),))]) == ()


def test_a_table_of_strengths_begins_with_the_strongest() -> None:
    cast = [Vote(str(voter), "Hi", "a", "b", "second" if voter < 3 else "first") for voter in range(4)]
    wins = counted(cast)
    table = votes.strengths(wins.items, wins, fit(wins.counts))
    assert table.name.tolist() == ["b", "a"]
    assert table.strength.iloc[0] - table.strength.iloc[1] == pytest.approx(np.log(3))
    assert table[["won", "lost"]].to_numpy().tolist() == [[3, 1], [1, 3]]
    assert votes.votes(cast).better.tolist() == ["second"] * 3 + ["first"]


def test_tables_of_a_reward_model_are_those_of_pandas() -> None:
    answers, values = ["a", "bb", "cccc", "dd?", "e!"], [0.0, 1.0, 3.0, 2.5, 0.5]
    table = rewards.correlations(answers, values).set_index("feature")
    expected = pd.Series([float(len(one)) for one in answers]).corr(pd.Series(values))
    assert table.value["characters"] == pytest.approx(expected)
    assert np.isnan(table.value["polite"])
    found = rewards.beginnings(("A", "B"), (list("abcd"), list("e")), ([1.0, 2.0, 2.1, 0.0], [1.0]))
    assert found.change.iloc[1:4].tolist() == pytest.approx([1.0, 0.1, -2.1])
    assert found.is_named.tolist() == [False, True, True, True, False]
