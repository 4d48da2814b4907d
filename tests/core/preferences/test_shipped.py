"""The pairs that come with the playground: without twins, and without giveaways beyond what is meant."""

from __future__ import annotations

import re
from collections import Counter
from statistics import mean

import pytest

from playground.core.files.preference_rows import read_preferences
from playground.core.preferences.pair import PreferencePair, contradictions, repeated, split
from playground.core.preferences.shipped import TOPICS, pairs_on, shipped_pairs
from playground.core.scripts import script_of
from playground.paths import site_root

LANGUAGES = ("en", "ko")
SIMILAR = ("polite", "answer")  # the topics in which length is not meant
MOST_LONGER = 1.1


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+|[^\w\s]", text.lower()))


def test_every_row_is_read_and_each_topic_has_as_many(language: str) -> None:
    path = site_root() / "assets" / "samples" / language / "preferences.jsonl"
    assert not read_preferences(path.name, path.read_bytes()).rejected
    assert Counter(one.topic for one in shipped_pairs(language)) == dict.fromkeys(TOPICS, 16)


def test_texts_are_in_their_language_and_end_as_sentences_do(language: str) -> None:
    for pair in shipped_pairs(language):
        for text in (pair.prompt, pair.chosen, pair.rejected):
            assert script_of(text) == {"en": "LATIN", "ko": "HANGUL"}[language] or text == "56.", text
            assert text == " ".join(text.split()), text
            assert text[-1] in ".?!", text


def test_no_prompt_and_no_answer_stands_twice(language: str) -> None:
    pairs = shipped_pairs(language)
    assert (repeated(pairs), contradictions(pairs)) == (0, 0)
    for texts in (
        [one.prompt for one in pairs],
        [text for one in pairs for text in (one.chosen, one.rejected)],
    ):
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("topic", SIMILAR)
def test_length_does_not_tell_the_chosen_answer(topic: str, language: str) -> None:
    pairs = pairs_on(topic, language)
    lengths = [mean(len(text) for text in side) for side in sides(pairs)]
    assert max(lengths) <= MOST_LONGER * min(lengths)
    n_longer = sum(len(one.chosen) > len(one.rejected) for one in pairs)
    assert 4 <= n_longer <= 12, "of 16"


@pytest.mark.parametrize("topic", SIMILAR)
def test_no_single_word_or_mark_tells_the_chosen_answer(topic: str, language: str) -> None:
    chosen, rejected = (
        Counter(word for text in side for word in words(text)) for side in sides(pairs_on(topic, language))
    )
    telling = {
        word: (chosen[word], rejected[word])
        for word in chosen | rejected
        if abs(chosen[word] - rejected[word]) > 16 / 3
    }
    assert telling == {}


def test_short_answers_are_much_shorter(language: str) -> None:
    assert all(4 * len(one.chosen) < len(one.rejected) for one in pairs_on("short", language))


def test_korean_rudeness_is_more_than_an_ending() -> None:
    """Half of the rude answers end as politely as the polite ones: the ending alone does not tell."""
    pairs = pairs_on("polite", "ko")
    polite = re.compile(r"(?:요|니다|지요|데요)[.?!]")
    assert all(polite.search(one.chosen) for one in pairs)
    assert 6 <= sum(bool(polite.search(one.rejected)) for one in pairs) <= 10


def test_some_prompts_of_each_topic_are_held_out(language: str) -> None:
    train, held_out = split(shipped_pairs(language))
    assert Counter(one.topic for one in held_out) == dict.fromkeys(TOPICS, 4)
    assert Counter(one.topic for one in train) == dict.fromkeys(TOPICS, 12)


def sides(pairs: tuple[PreferencePair, ...]) -> tuple[list[str], list[str]]:
    return [one.chosen for one in pairs], [one.rejected for one in pairs]
