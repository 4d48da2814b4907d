"""The baseline's words are scikit-learn's, its answers those of its linear models, and it cannot cheat."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st_
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from playground.core.bag_of_words import bag_of_words, features
from playground.core.labelled_sets import LabelledItem

ENGLISH = ["The soup was cold.", "A warm soup, a good soup!", "Don't go.", "We sang; they didn't."]
KOREAN = ["국이 식었다.", "따뜻하고 맛있는 국", "가지 마.", "우리는 노래했다."]
ASKED = ["The good soup was warm.", "they go"]


def item(*texts: str, label: str | float = "a", language: str = "en") -> LabelledItem:
    return LabelledItem(language, "train", texts, label)


def words_of(one: LabelledItem) -> dict[str, float]:
    return {key[2:]: n for key, n in features(one).items() if key.startswith("1:")}


@pytest.mark.parametrize(
    ("texts", "vectorizer"),
    [
        (ENGLISH, CountVectorizer(token_pattern=r"\b\w+\b")),
        (KOREAN, CountVectorizer(analyzer="char_wb", ngram_range=(2, 3))),
    ],
)
def test_english_counts_words_and_korean_pieces_as_scikit_learn_does(
    texts: list[str], vectorizer: CountVectorizer
) -> None:
    table = vectorizer.fit_transform(texts).toarray()
    names = vectorizer.get_feature_names_out()
    for text, row in zip(texts, table, strict=True):
        assert words_of(item(text)) == {name: n for name, n in zip(names, row, strict=True) if n}


def test_answers_are_those_of_logistic_regression_on_the_same_counts() -> None:
    train = [item(text, label=label) for text, label in zip(ENGLISH, "abab", strict=True)]
    vectorizer = CountVectorizer(token_pattern=r"\b\w+\b")
    ones = np.ones((len(ENGLISH), 1))  # the constant
    counts = np.hstack([vectorizer.fit_transform(ENGLISH).toarray(), ones])
    fitted = LogisticRegression(C=1.0, max_iter=1_000).fit(counts, list("abab"))
    asked = np.hstack([vectorizer.transform(ASKED).toarray(), np.ones((2, 1))])
    assert bag_of_words(train, [item(text) for text in ASKED]) == tuple(fitted.predict(asked))


def test_numbers_are_those_of_ridge_regression_which_solves_its_normal_equations() -> None:
    train = [item(text, label=number) for text, number in zip(ENGLISH, [0.0, 5.0, 1.0, 2.5], strict=True)]
    vectorizer = CountVectorizer(token_pattern=r"\b\w+\b")
    counts = vectorizer.fit_transform(ENGLISH).toarray().astype(float)
    fitted = Ridge(alpha=1.0).fit(counts, [0.0, 5.0, 1.0, 2.5])  # the constant moves nothing
    found = bag_of_words(train, [item(text) for text in ASKED])
    np.testing.assert_allclose(found, fitted.predict(vectorizer.transform(ASKED).toarray().astype(float)))


def test_a_pair_keeps_the_side_of_a_word_and_the_share_that_both_have() -> None:
    pair = features(item("A cat sleeps.", "The cat naps."))
    assert pair["1:cat"] == pair["2:cat"] == 1
    assert "2:sleeps" not in pair
    assert pair["shared"] == pytest.approx(1 / 5)
    assert "shared" not in features(item("A cat sleeps.", "The cat naps."), only=1)
    assert not any(key.startswith("1:") for key in features(item("A cat.", "The cat."), only=1))


def test_the_share_of_words_alone_can_tell_pairs_apart() -> None:
    words = ["red", "green", "blue", "black", "white", "brown", "pink", "grey", "gold", "dark"]
    pairs = [(a, b) for a in words for b in words if a != b]
    train = [item(f"{a} {b}", f"{b} {a}", label="same") for a, b in pairs[:45]]
    train += [item(f"{a} {b}", f"x{b} y{a}", label="other") for a, b in pairs[:45]]
    asked = [item("one two", "two one"), item("one two", "three four")]
    assert bag_of_words(train, asked) == ("same", "other")


def test_what_it_was_fitted_on_is_never_asked() -> None:
    with pytest.raises(ValueError, match="1 of the asked items"):
        bag_of_words([item("A cat."), item("A dog.", label="b")], [item("A  cat.")])
    with pytest.raises(ValueError, match="nothing"):
        bag_of_words([], [item("A cat.")])


def test_one_label_no_words_and_no_items_have_answers_too() -> None:
    assert bag_of_words([item("A cat.", label="a")], [item("?"), item("dog")]) == ("a", "a")
    two = [item("!", label="a"), item("?!", label="b"), item("…", label="b")]
    assert bag_of_words(two, [item("🙂")]) == ("b",)
    assert bag_of_words(two, []) == ()


@given(st_.lists(st_.tuples(st_.text(max_size=30), st_.text(max_size=30)), min_size=1, max_size=4))
def test_any_text_has_finite_counts_and_a_share_between_0_and_1(pairs: list[tuple[str, str]]) -> None:
    for first, second in pairs:
        counts = features(item(first, second))
        assert 0.0 <= counts["shared"] <= 1.0
        assert all(np.isfinite(n) and n >= 0 for n in counts.values())


def test_scikit_learn_is_imported_when_it_is_first_used() -> None:
    code = "import sys, playground.core.bag_of_words; raise SystemExit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
