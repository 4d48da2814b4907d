"""Simple features of an answer, to be held against a reward: length, polite words, words of refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from playground.core.canonical import canonical
from playground.core.preferences.judged import PairAccuracy, pair_accuracy
from playground.core.preferences.pair import PreferencePair

FEATURES: Final = ("characters", "polite", "refusal", "marks")
"""Length in characters, polite words, words of refusal, question and exclamation marks."""
DIRECTIONS: Final = {"characters": -1, "polite": 1, "refusal": -1, "marks": -1}
"""Feature -> 1 if a rule prefers the answer that has more of it, -1 if the one that has less."""
POLITE: Final = (
    "please", "thank", "glad", "happy to", "of course", "certainly", "welcome", "good luck", "enjoy",
    "with pleasure", "no problem", "that happens", "네,", "그럼요", "물론", "감사", "고마", "부탁", "괜찮",
    "그럴 때도", "도와드", "보세요", "주세요", "시면",
)  # fmt: skip
REFUSAL: Final = (
    "cannot", "can't", "unable", "not able", "won't", "will not", "refuse", "decline", "none is given",
    "would rather not", "not allowed", "no answer", "수 없", "못 ", "거절", "어렵", "곤란", "않겠", "삼가",
    "않습니다",
)  # fmt: skip


def counts(feature: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Amount of a feature in each text. Shape [text].

    Args:
        feature: One of `FEATURES`.
        texts: Any texts, English or Korean.

    Example:
        >>> counts("polite", ["Of course. You are welcome!", "No."]).tolist()
        [2.0, 0.0]
        >>> counts("characters", ["No."]).tolist(), counts("marks", ["What? No!"]).tolist()
        ([3.0], [2.0])
    """
    said = [canonical(text).casefold() for text in texts]
    if feature == "characters":
        return np.array([len(one) for one in said], np.float64)
    if feature == "marks":
        return np.array([len(re.findall(r"[?!？！]", one)) for one in said], np.float64)
    words = {"polite": POLITE, "refusal": REFUSAL}[feature]
    return np.array([sum(one.count(word) for word in words) for one in said], np.float64)


def rule_accuracy(feature: str, pairs: Sequence[PreferencePair]) -> PairAccuracy:
    """Share of pairs that a rule puts in the right order: less of some features is better, more of others.

    Args:
        feature: One of `FEATURES`; its direction is that of `DIRECTIONS`.
        pairs: Pairs.

    Example:
        >>> rule_accuracy("characters", [PreferencePair("", "Yes.", "Yes, it is.")]).share
        1.0
    """
    sign = DIRECTIONS[feature]
    chosen = sign * counts(feature, [one.chosen for one in pairs])
    return pair_accuracy(chosen, sign * counts(feature, [one.rejected for one in pairs]))
