"""Data sets of pairs: what is held out, lengths, both reading directions of Korean numbers."""

from __future__ import annotations

import random

import pytest

from playground.core.pairs import dates
from playground.core.pairs.korean_numbers import LAST, in_words, of_words
from playground.core.pairs.sets import N_DATES, PAIR_SETS, is_held_out, of_length, pairs, vocabularies
from playground.core.pairs.vocabulary import END, Vocabulary


@pytest.fixture(params=PAIR_SETS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_held_out_is_never_trained_on_whatever_the_seed(name: str) -> None:
    longest = PAIR_SETS[name].lengths[-1]
    trained = {one.source for seed in range(3) for one in pairs(name, 400, seed, longest)}
    held_out = {one.source for one in pairs(name, 200, 7, longest, held_out=True)}
    asked = {one.source for length in (10, 12, 14) for one in of_length(name, length, 20, 3)}
    assert not trained & (held_out | asked)


def test_a_seed_gives_the_same_pairs_none_longer_than_wanted(name: str) -> None:
    longest = PAIR_SETS[name].lengths[0] + 8
    drawn = pairs(name, 100, 5, longest)
    pairs.cache_clear()
    assert drawn == pairs(name, 100, 5, longest)
    assert max(len(one.source) for one in drawn) <= longest
    assert {len(one.source) for one in pairs(name, 300, 1, 99)} <= set(PAIR_SETS[name].lengths)


def test_of_one_length_each_pair_comes_once(name: str) -> None:
    middle = sorted(len(one.source) for one in pairs(name, 200, 1, 99))[100]
    found = of_length(name, middle, 30, 0)
    assert len(set(found)) == len(found) == 30
    assert {len(one.source) for one in found} == {middle}
    assert of_length(name, 99, 5, 0) == ()


def test_the_vocabulary_knows_every_pair(name: str) -> None:
    source, target = vocabularies(name)
    for held_out in (False, True):
        for one in pairs(name, 500, 11, 99, held_out=held_out):
            assert not source.unknown(one.source)
            assert target.text((*target.ids(one.target), END)) == one.target


def test_targets_are_what_the_sets_say() -> None:
    assert all(one.target == one.source[::-1] for one in pairs("reverse", 50, 0, 20))
    assert all(one.target == one.source for one in pairs("copy", 50, 0, 20))
    assert all(int(one.target) == of_words(one.source) for one in pairs("korean_numbers", 50, 0, 23))
    lines = pairs("date_lines", 200, 0, 91)
    assert {len(one.target.split()) for one in lines} == set(range(1, N_DATES + 1))
    days = dates.written
    for one in lines[:20]:
        for source, target in zip(one.source.split("; "), one.target.split(), strict=True):
            day = dates.date.fromisoformat(target)
            assert source in {form.source for language in dates.LANGUAGES for form in days(day, language)}


def test_about_a_tenth_of_all_words_is_held_out() -> None:
    drawn = random.Random(1)
    words = ["".join(drawn.choices("abcdefgh", k=9)) for _ in range(4000)]
    assert 0.08 < sum(map(is_held_out, words)) / len(words) < 0.12


def test_korean_numbers_read_back_as_themselves() -> None:
    drawn = random.Random(2)
    numbers = [*range(2000), LAST, *(drawn.randrange(10 ** drawn.randint(4, 12)) for _ in range(3000))]
    words = [in_words(number) for number in numbers]
    assert [of_words(one) for one in words] == numbers
    assert len(set(words)) == len(set(numbers)), "no two numbers have the same words"


def test_korean_numbers_as_they_are_taught() -> None:
    taught = {
        0: "영", 10: "십", 11: "십일", 21: "이십일", 105: "백오", 1000: "천", 1111: "천백십일",
        2026: "이천이십육", 10_000: "만", 15_000: "만오천", 100_000: "십만", 123_456: "십이만삼천사백오십육",
        100_000_000: "일억", 100_010_000: "일억일만",
    }  # fmt: skip
    assert {number: in_words(number) for number in taught} == taught
    assert (of_words("일십일"), of_words("일만"), of_words("일천")) == (11, 10_000, 1_000)


@pytest.mark.parametrize("words", ["", "천천", "십백", "만만", "만억", "일이", "영영", "십영", "열", "12"])
def test_words_that_are_no_number_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        of_words(words)


@pytest.mark.parametrize("number", [-1, LAST + 1])
def test_numbers_without_words_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="from 0"):
        in_words(number)


def test_hangul_typed_in_parts_is_read_as_whole() -> None:
    known = Vocabulary.of(["한글"])
    assert known.ids("한글") == known.ids("한글")
    assert known.unknown("한글abca") == "abc"
    with pytest.raises(KeyError):
        known.ids("a")
