"""Scores of many predictions: the same as one by one; of all together with intervals that hold them."""

from __future__ import annotations

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from playground.core.metrics.answers import word_f1
from playground.core.metrics.chrf import chrf
from playground.core.metrics.predictions import SCORES, row_scores, summaries
from playground.core.metrics.rouge import rouge

CANDIDATES = ["the cat sat on a mat", "", "고양이가 잔다", "it rains", "😀"]
REFERENCES = [["the cat sat on the mat"], ["a dog"], ["고양이는 잔다", "고양이가 잔다"], ["it snows"], ["😀"]]


def test_a_row_has_the_scores_of_each_metric() -> None:
    for candidate, right in zip(CANDIDATES, REFERENCES, strict=True):
        found = row_scores(candidate, right, "char", "syllables").scores
        assert tuple(found) == SCORES
        expected = BLEU(tokenize="char", effective_order=True).sentence_score(candidate, right).score
        assert found["bleu"] == expected
        assert found["chrf"] == chrf(candidate, right)
        assert found["rougeL"] == rouge(candidate, right, "syllables")["rougeL"].f1
        assert found["word_f1"] == word_f1(candidate, right)


def test_all_rows_together_have_the_corpus_bleu_and_means_with_intervals() -> None:
    rows = [row_scores(one, right, "13a", "words") for one, right in zip(CANDIDATES, REFERENCES, strict=True)]
    found, signature = summaries(rows, CANDIDATES, REFERENCES, "13a")
    streams = [[right[0] for right in REFERENCES], [right[1] if right[1:] else None for right in REFERENCES]]
    corpus = BLEU(tokenize="13a").corpus_score(CANDIDATES, streams).score  # type: ignore[arg-type]
    assert [one.name for one in found] == [*SCORES]
    assert found[0].value == corpus
    assert "tok:13a" in signature
    for one in found:
        values = [row.scores[one.name] for row in rows]
        assert one.mean == pytest.approx(np.mean(values))
        assert one.low <= one.value <= one.high
        if one.name != "bleu":
            assert one.value == one.mean


def test_one_row_has_an_interval_without_width() -> None:
    row = row_scores("a cat", ["a cat sat"], "13a", "words")
    found, _signature = summaries([row], ["a cat"], [["a cat sat"]], "13a")
    chrf_of_all = next(one for one in found if one.name == "chrf")
    assert chrf_of_all.low == chrf_of_all.high == pytest.approx(chrf_of_all.value)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="candidates"):
        summaries([], [], [], "13a")
