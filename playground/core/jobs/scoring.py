"""Answers to a set in the figures that the field reports for each job, each with a 95 % interval.

All figures go from 0 to 100. The tokenizer that a figure depends on is part of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.answers import character_f1, exact_match, word_f1
from playground.core.metrics.bleu import BleuTokenizer, bleu_interval, corpus_bleu, sentence_bleu
from playground.core.metrics.chrf import chrf
from playground.core.metrics.classification import classification
from playground.core.metrics.entities import entities, entity_scores
from playground.core.metrics.intervals import bootstrap_interval, wilson_interval
from playground.core.metrics.rouge import ROUGE_KINDS, RougeTokenizer, rouge

References = Sequence[Sequence[str]]
KOREAN = "ko"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a set.

    Attributes:
        metric: Its name, tokenizer included.
        value: 0 to 100.
        low, high: Sides of its 95 % interval.
    """

    metric: str
    value: float
    low: float
    high: float

    def includes(self, value: float) -> bool:
        """True if a value lies between the sides of the interval."""
        return self.low <= value <= self.high


def label_figures(right: Sequence[str], answered: Sequence[str], labels: Sequence[str]) -> tuple[Figure, ...]:
    """Accuracy (Wilson's interval) and the mean F1 over the labels (bootstrap)."""
    found = classification(right, answered, labels)
    return (
        _figure("accuracy", found.accuracy, found.accuracy_interval),
        _figure("F1 (macro)", found.f1, found.f1_interval),
    )


def name_figures(right: Sequence[Sequence[str]], answered: Sequence[Sequence[str]]) -> tuple[Figure, ...]:
    """Precision, recall and F1 over names by seqeval; intervals by resampled texts.

    Args:
        right, answered: BIO labels of each text.
    """
    found = entity_scores(right, answered)
    pairs = [({*entities(truth)}, {*entities(given)}) for truth, given in zip(right, answered, strict=True)]
    counts = np.array([[len(truth & given), len(given), len(truth)] for truth, given in pairs])

    def interval(part: Callable[[NDArray[np.int64]], float]) -> tuple[float, float]:
        return bootstrap_interval(lambda at: part(counts[at].sum(0)), len(counts))

    return (
        _figure("precision", found.precision, interval(lambda n: _share(n[0], n[1]))),
        _figure("recall", found.recall, interval(lambda n: _share(n[0], n[2]))),
        _figure("F1", found.f1, interval(lambda n: _share(2 * n[0], n[1] + n[2]))),
    )


def translation_figures(answered: Sequence[str], references: References, target: str) -> tuple[Figure, ...]:
    """BLEU of the whole set and the mean chrF of its items, both by sacrebleu.

    Args:
        answered: The translations.
        references: Right translations of each.
        target: Code of their language; Korean is counted by characters: particles make other words of words.
    """
    cut: BleuTokenizer = "char" if target == KOREAN else "13a"
    whole = corpus_bleu(answered, references, cut)
    rows = [sentence_bleu(one, right, cut) for one, right in zip(answered, references, strict=True)]
    low, high = bleu_interval(rows)
    return (
        Figure(f"BLEU ({cut})", whole.score, low, high),
        _mean("chrF", [translation_score(*pair) / 100 for pair in zip(answered, references, strict=True)]),
    )


def translation_score(answer: str, references: Sequence[str]) -> float:
    """chrF of one translation, 0 to 100: BLEU says little of a single sentence."""
    return chrf(answer, references)


def summary_figures(answered: Sequence[str], references: References, language: str) -> tuple[Figure, ...]:
    """Mean F1 of ROUGE-1, -2 and -L by rouge-score; Korean is counted by syllables.

    Args:
        answered: The summaries.
        references: Right summaries of each.
        language: Code of their language.
    """
    cut = _rouge_tokenizer(language)
    found = [rouge(one, right, cut) for one, right in zip(answered, references, strict=True)]
    names = {kind: f"{kind.upper().replace('ROUGE', 'ROUGE-')} ({cut})" for kind in ROUGE_KINDS}
    return tuple(_mean(names[kind], [one[kind].f1 for one in found]) for kind in ROUGE_KINDS)


def summary_score(answer: str, references: Sequence[str], language: str) -> float:
    """F1 of ROUGE-L of one summary, 0 to 100."""
    return 100 * rouge(answer, references, _rouge_tokenizer(language))["rougeL"].f1


def answer_figures(answered: Sequence[str], right: References, language: str) -> tuple[Figure, ...]:
    """Exact match (Wilson's interval) and mean F1 (bootstrap) of short answers, as SQuAD counts them.

    Args:
        answered: The answers.
        right: Right answers of each.
        language: Code of their language; Korean is counted by characters, as KorQuAD does.
    """
    n_exact = sum(exact_match(one, each) for one, each in zip(answered, right, strict=True))
    unit = "characters" if language == KOREAN else "words"
    scores = [answer_score(one, each, language) / 100 for one, each in zip(answered, right, strict=True)]
    return (
        _figure("exact match", n_exact / len(answered), wilson_interval(n_exact, len(answered))),
        _mean(f"F1 ({unit})", scores),
    )


def answer_score(answer: str, right: Sequence[str], language: str) -> float:
    """F1 of one short answer, 0 to 100."""
    return 100 * (character_f1 if language == KOREAN else word_f1)(answer, right)


def share_figure(metric: str, hits: Sequence[bool]) -> Figure:
    """A share of items, with Wilson's interval."""
    return _figure(metric, sum(hits) / len(hits), wilson_interval(sum(hits), len(hits)))


def _rouge_tokenizer(language: str) -> RougeTokenizer:
    return "syllables" if language == KOREAN else "words"


def _figure(metric: str, value: float, interval: tuple[float, float]) -> Figure:
    return Figure(metric, 100 * value, 100 * interval[0], 100 * interval[1])


def _mean(metric: str, values: Sequence[float]) -> Figure:
    each = np.array(values, dtype=np.float64)
    return _figure(
        metric, float(each.mean()), bootstrap_interval(lambda at: float(each[at].mean()), len(each))
    )


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
