"""Ways of having a labelled set answered: figures and tests of chance against the libraries."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from playground.core import ways
from playground.core.glue import ASKED, LANGUAGES, SENTIMENT, TASKS, data_of, prompt, shots, words
from playground.core.labelled_sets import LabelledItem


def drawn(seed: int, right: float, task: str = SENTIMENT) -> tuple[str, ...]:
    random, labels = np.random.default_rng(seed), data_of(task).labels
    items = ways.held_out(task, LANGUAGES)
    return tuple(str(one.label) if random.random() < right else str(random.choice(labels)) for one in items)


def test_the_sentiment_set_is_asked_beside_those_of_glue() -> None:
    assert {*ASKED} == {SENTIMENT, *TASKS}
    item: LabelledItem = ways.held_out(SENTIMENT, ["ko"])[0]
    assert prompt(SENTIMENT, item, few_shot=False).endswith(f"Review: {item.texts[0]}\nSentiment:")
    assert words(SENTIMENT) == (" negative", " positive")
    for language in LANGUAGES:
        trained = set(data_of(SENTIMENT).part("train", [language]))
        assert set(shots(SENTIMENT, language)) <= trained


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    answers = drawn(seed, 0.5)
    right = [str(one.label) for one in ways.held_out(SENTIMENT, LANGUAGES)]
    found = ways.scored(SENTIMENT, LANGUAGES, answers)
    assert found.accuracy == pytest.approx(accuracy_score(right, answers))
    assert found.f1 == pytest.approx(f1_score(right, answers, average="macro"))
    assert np.mean(ways.right(SENTIMENT, LANGUAGES, answers)) == pytest.approx(found.accuracy)


def test_ways_that_are_not_told_apart_are_those_of_the_exact_binomial_test() -> None:
    of = {
        f"{seed}": ways.right(SENTIMENT, LANGUAGES, drawn(seed, right))
        for seed, right in enumerate((0.1, 0.3, 0.5, 0.55, 0.9))
    }
    expected = []
    for a, b in combinations(of, 2):
        wins = sum(x and not y for x, y in zip(of[a], of[b], strict=True))
        losses = sum(y and not x for x, y in zip(of[a], of[b], strict=True))
        if not wins + losses or binomtest(wins, wins + losses).pvalue >= 0.05:
            expected.append((a, b))
    assert ways.not_told_apart(of) == expected
    assert 0 < len(expected) < 10


def test_an_interval_with_chance_in_it_is_said_and_one_above_it_is_not() -> None:
    of = {name: ways.scored(SENTIMENT, LANGUAGES, drawn(1, p)) for name, p in (("weak", 0.0), ("good", 0.8))}
    assert ways.like_chance(of, ways.chance(SENTIMENT, LANGUAGES)) == ["weak"]
    assert ways.chance(SENTIMENT, LANGUAGES) == 0.5


def test_the_baseline_has_learned_from_no_item_that_is_asked() -> None:
    for languages in (LANGUAGES, ("en",), ("ko",)):
        learned = {one.fingerprint for one in data_of(SENTIMENT).part("train", languages)}
        asked = ways.held_out(SENTIMENT, languages)
        assert not learned & {one.fingerprint for one in asked}
        assert len(ways.baseline(SENTIMENT, languages)) == len(asked)
