"""Answers to questions: exact match and F1 against the right answers, as SQuAD and KorQuAD define them.

SQuAD counts words. A Korean word carries its particle (서울에 is no 서울), so KorQuAD counts characters.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import regex

from playground.core.canonical import canonical

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_SIGNS = frozenset(string.punctuation)
_PUNCTUATION = regex.compile(r"\p{P}")


def normalized_answer(text: str) -> str:
    """An answer without case, punctuation, English articles and superfluous blanks, as SQuAD's script has it.

    SQuAD removes the ASCII signs; those of other scripts (「」 “ ” 、) are removed too.

    Example:
        >>> normalized_answer("The  Eiffel Tower!"), normalized_answer("「서울」의 강")
        ('eiffel tower', '서울의 강')
    """
    lower = canonical(text).lower()
    bare = _PUNCTUATION.sub("", "".join(each for each in lower if each not in _SIGNS))
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, right: Sequence[str]) -> bool:
    """True if the answer is one of the right ones, both normalised.

    Raises:
        ValueError: There is no right answer.
    """
    return bool(_best(answer, right, lambda one, other: float(one == other)))


def word_f1(answer: str, right: Sequence[str]) -> float:
    """F1 over the words of the normalised texts, 0 to 1, of the right answer that it fits best (SQuAD).

    Where one of both has no words, it is 1 if the other has none either, else 0.

    Raises:
        ValueError: There is no right answer.

    Example:
        >>> word_f1("in Paris, France", ["Paris"])
        0.5

    Source:
        Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions", arXiv:1606.05250, 6.1; script of SQuAD 2.0.
    """
    return _best(answer, right, lambda one, other: _overlap(one.split(), other.split()))


def character_f1(answer: str, right: Sequence[str]) -> float:
    """F1 over the characters of the normalised texts without blanks, 0 to 1 (KorQuAD).

    Raises:
        ValueError: There is no right answer.

    Example:
        >>> round(character_f1("서울에", ["서울"]), 2), word_f1("서울에", ["서울"])
        (0.8, 0.0)

    Source:
        Lim et al. 2019, "KorQuAD1.0: Korean QA Dataset for Machine Reading Comprehension", arXiv:1909.07005.
    """
    return _best(answer, right, lambda one, other: _overlap("".join(one.split()), "".join(other.split())))


def _best(answer: str, right: Sequence[str], score: Callable[[str, str], float]) -> float:
    if not right:
        raise ValueError("no right answer to compare with")
    given = normalized_answer(answer)
    return max(score(given, normalized_answer(each)) for each in right)


def _overlap(given: Sequence[str], right: Sequence[str]) -> float:
    if not given or not right:
        return float(len(given) == len(right))
    n_common = (Counter(given) & Counter(right)).total()
    precision, recall = n_common / len(given), n_common / len(right)
    return 2 * precision * recall / (precision + recall) if n_common else 0.0
