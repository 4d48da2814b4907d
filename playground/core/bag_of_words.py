"""Bag of words with a linear model: the baseline that any model has to beat on a labelled set.

Order is lost; for a pair, the side of each word and the share of words that both texts have are kept.

("A cat sleeps.", "The cat naps.") -> 1:a 1:cat 1:sleeps 2:the 2:cat 2:naps, shared = 1/5

English counts words. Korean writes particles and endings onto its words, so a word of Hangul counts as the
pieces of 2 and 3 characters within it, spaces around it included, as scikit-learn's `char_wb`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from playground.core.labelled_sets import LabelledItem
from playground.core.scripts import script_of

C = 1.0  # inverse of the penalty on the weights of logistic regression
ALPHA = 1.0  # penalty on the weights of ridge regression
CONSTANT = "constant"  # a feature of every item, so that a text without words has one
SHARED = "shared"


def bag_of_words(
    train: Sequence[LabelledItem], asked: Sequence[LabelledItem], *, only: int | None = None
) -> tuple[str, ...] | tuple[float, ...]:
    """Labels or numbers that a linear model of words, fitted on `train`, gives to the items of `asked`.

    Labels are fitted by logistic regression, numbers by ridge regression; both have one solution, no seed.

    Args:
        train: Items that it is fitted on.
        asked: Items that it answers.
        only: 0 or 1 to let it see one text of each pair alone, as a search for giveaways; None for all.

    Returns:
        An answer for each item of `asked`: labels where those of `train` are texts, else numbers.

    Raises:
        ValueError: `train` is empty, or an item is in both.

    Example:
        >>> def item(text, label): return LabelledItem("en", "train", (text,), label)
        >>> bag_of_words([item("A fine day.", "good"), item("A grim day.", "bad")], [item("Fine!", "")])
        ('good',)

    Source:
        Wang & Manning 2012, "Baselines and Bigrams", ACL; only-one-text: Gururangan et al. 2018,
        "Annotation Artifacts in Natural Language Inference Data", arXiv:1803.02324.
    """
    if not train:
        raise ValueError("nothing to fit the baseline on")
    if twice := {one.fingerprint for one in train} & {one.fingerprint for one in asked}:
        raise ValueError(f"{len(twice)} of the asked items are trained on")
    if not asked:
        return ()
    labels = [one.label for one in train]
    if len(set(labels)) == 1:  # nothing to fit
        return tuple(labels[:1] * len(asked))  # type: ignore[return-value]
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    table: Any = DictVectorizer()
    seen = table.fit_transform([features(one, only=only) for one in train])
    model: Any = LogisticRegression(C=C, max_iter=1_000) if isinstance(labels[0], str) else Ridge(alpha=ALPHA)
    model.fit(seen, labels)
    return tuple(model.predict(table.transform([features(one, only=only) for one in asked])).tolist())


def features(item: LabelledItem, *, only: int | None = None) -> dict[str, float]:
    """Counts of the words of an item, as the linear model sees them.

    Args:
        item: One text, or a pair, whose words are marked by their side.
        only: Number of the one text that counts, None for all.

    Example:
        >>> features(LabelledItem("en", "train", ("A cat, a dog.", "A cow."), "same"))["1:a"]
        2
        >>> list(features(LabelledItem("ko", "train", ("새가",), "bird"), only=0))[1:]
        ['1: 새', '1:새가', '1:가 ', '1: 새가', '1:새가 ']
    """
    bags = [Counter(_words(text)) for text in item.texts]
    sides = range(len(bags)) if only is None else [only]
    counts: dict[str, float] = {CONSTANT: 1.0}
    counts |= {f"{side + 1}:{word}": n for side in sides for word, n in bags[side].items()}
    if only is None and len(bags) > 1:
        either = set(bags[0]) | set(bags[1])
        counts[SHARED] = len(set(bags[0]) & set(bags[1])) / len(either) if either else 0.0
    return counts


def _words(text: str) -> list[str]:
    words, pieces = _analyzers()
    return pieces(text) if script_of(text) == "HANGUL" else words(text)


@lru_cache
def _analyzers() -> tuple[Callable[[str], list[str]], Callable[[str], list[str]]]:
    """The words of a text, and the pieces of its words, as `CountVectorizer` counts them."""
    from sklearn.feature_extraction.text import CountVectorizer

    words: Any = CountVectorizer(token_pattern=r"\b\w+\b")
    pieces: Any = CountVectorizer(analyzer="char_wb", ngram_range=(2, 3))
    return words.build_analyzer(), pieces.build_analyzer()
