"""Scores of many predictions: of each row, and of all together with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.answers import character_f1, exact_match, word_f1
from playground.core.metrics.bleu import Bleu, BleuTokenizer, bleu_interval, corpus_bleu, sentence_bleu
from playground.core.metrics.chrf import chrf
from playground.core.metrics.intervals import bootstrap_interval, wilson_interval
from playground.core.metrics.rouge import RougeTokenizer, rouge

SCORES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact", "word_f1", "character_f1")
TIMES_100 = ("bleu", "chrf")  # from 0 to 100, the others from 0 to 1


@dataclass(frozen=True, slots=True)
class RowScores:
    """Scores of one prediction; `bleu` and `chrf` from 0 to 100, the others from 0 to 1.

    Attributes:
        bleu: BLEU, with its counts.
        scores: Score by its name in `SCORES`.
    """

    bleu: Bleu
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """A score of all predictions, with its 95 % interval.

    Attributes:
        name: One of `SCORES`.
        value: BLEU of the corpus, otherwise the mean of the rows.
        low, high: Sides of the interval: Wilson's for exact matches, otherwise the bootstrap's.
        mean: Mean of the rows.
    """

    name: str
    value: float
    low: float
    high: float
    mean: float


def row_scores(
    candidate: str, references: Sequence[str], by_bleu: BleuTokenizer, by_rouge: RougeTokenizer
) -> RowScores:
    """All scores of one prediction.

    Raises:
        ValueError: There is no reference.
    """
    bleu = sentence_bleu(candidate, references, by_bleu)
    rouges = rouge(candidate, references, by_rouge)
    values = {
        "bleu": bleu.score,
        "chrf": chrf(candidate, references),
        "rouge1": rouges["rouge1"].f1,
        "rouge2": rouges["rouge2"].f1,
        "rougeL": rouges["rougeL"].f1,
        "exact": float(exact_match(candidate, references)),
        "word_f1": word_f1(candidate, references),
        "character_f1": character_f1(candidate, references),
    }
    return RowScores(bleu, values)


def summaries(
    rows: Sequence[RowScores],
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    by_bleu: BleuTokenizer,
) -> tuple[list[Summary], str]:
    """Each score of all rows, and the signature of the corpus' BLEU.

    Args:
        rows: Scores of each row.
        candidates, references: The texts of each row.
        by_bleu: Tokenizer of BLEU.

    Raises:
        ValueError: There are no rows.
    """
    corpus = corpus_bleu(candidates, references, by_bleu)
    found = []
    for name in SCORES:
        values = np.array([row.scores[name] for row in rows])
        mean = float(values.mean())
        if name == "bleu":
            low, high = bleu_interval([row.bleu for row in rows])
            found.append(Summary(name, corpus.score, low, high, mean))
            continue
        low, high = wilson_interval(values.sum(), len(values)) if name == "exact" else _of_mean(values)
        found.append(Summary(name, mean, low, high, mean))
    return found, corpus.signature


def _of_mean(values: NDArray[np.float64]) -> tuple[float, float]:
    return bootstrap_interval(lambda at: float(values[at].mean()), len(values))
