"""Answers: equal to the scripts of SQuAD and KorQuAD."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.metrics.answers import character_f1, exact_match, normalized_answer, word_f1
from tests.core.metrics.texts import texts

english = st.text(st.characters(max_codepoint=127), max_size=30) | st.lists(
    st.sampled_from(["The", "the", "a", "an", "theory", "Paris", "paris,", "France!", "U.S.", "42", "-"]),
    max_size=8,
).map(" ".join)


def squad_normal(text: str) -> str:
    """`normalize_answer` of SQuAD 2.0's evaluation script."""
    bare = "".join(each for each in text.lower() if each not in set(string.punctuation))
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", bare).split())


def squad_f1(right: str, answer: str) -> float:
    """`compute_f1` of SQuAD 2.0's evaluation script."""
    gold, given_ = (squad_normal(each).split() for each in (right, answer))
    same = sum((Counter(gold) & Counter(given_)).values())
    if not gold or not given_:
        return int(gold == given_)
    if not same:
        return 0
    precision, recall = same / len(given_), same / len(gold)
    return (2 * precision * recall) / (precision + recall)


@given(english, st.lists(english, min_size=1, max_size=3))
def test_english_answers_score_as_by_squads_script(answer: str, rights: list[str]) -> None:
    assert word_f1(answer, rights) == max(squad_f1(each, answer) for each in rights)
    assert exact_match(answer, rights) == any(squad_normal(each) == squad_normal(answer) for each in rights)


@given(texts, texts)
def test_character_f1_is_that_of_bags_of_characters(answer: str, right: str) -> None:
    own, theirs = (Counter("".join(normalized_answer(each).split())) for each in (answer, right))
    n = own.total() + theirs.total()
    expected = 2 * (own & theirs).total() / n if n else 1.0
    assert character_f1(answer, [right]) == pytest.approx(expected)


def test_a_particle_costs_a_korean_answer_a_character_not_all() -> None:
    assert not exact_match("서울에", ["서울"])
    assert word_f1("서울에", ["서울"]) == 0
    assert character_f1("서울에", ["서울"]) == 0.8
    assert exact_match("「서울」", ["서울", "한양"])


def test_an_empty_answer_is_right_only_where_nothing_is() -> None:
    assert exact_match("The!", [""])
    assert (word_f1("", ["Paris"]), word_f1("", [""])) == (0.0, 1.0)
    for score in (exact_match, word_f1, character_f1):
        with pytest.raises(ValueError, match="no right answer"):
            score("a", [])
