"""Tables of BLEU, ROUGE and the class's board; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from playground.core.metrics.bleu import Bleu, brevity_penalty
from playground.core.metrics.ngrams import NgramMatches
from playground.core.metrics.rouge import Rouge

LONGEST_RATIO = 2.0  # of the candidate to the reference, in the picture of the penalty


class PostedAnswer(NamedTuple):
    """An answer on the board, a row of `board`.

    Attributes:
        number: Its number on the board, from 1.
        text: The answer.
        kind: "good" and "bad" for the shipped ones, "reader" for those that readers posted.
        bleu: BLEU, 0 to 100.
        rouge_l: F1 of ROUGE-L, 0 to 1.
        cosine: Cosine of its vector with the reference's, -1 to 1; NaN where no encoder has read it.
        votes: Readers who find it good.
    """

    number: int
    text: str
    kind: str
    bleu: float
    rouge_l: float
    cosine: float
    votes: int


def ngram_counts(matches: Sequence[NgramMatches]) -> pd.DataFrame:
    """Every n-gram of a candidate: how often it stands there, in a reference, and counts."""
    rows = [
        (each.order, " ".join(one.tokens), one.n_candidate, one.n_reference, one.n_matched, one.n_clipped)
        for each in matches
        for one in each.counts
    ]
    return pd.DataFrame(
        rows, columns=["order", "ngram", "n_candidate", "n_reference", "n_matched", "n_clipped"]
    )


def bleu_factors(found: Bleu) -> pd.DataFrame:
    """The factors of a BLEU score, and their product last; precisions and score 0 to 100."""
    rows: list[tuple[str, float, float, float]] = [
        (f"p{order}", found.precisions[order - 1], found.n_matched[order - 1], found.n_total[order - 1])
        for order in range(1, len(found.precisions) + 1)
    ]
    rows.append(("brevity_penalty", found.brevity_penalty, found.n_candidate, found.n_reference))
    rows.append(("bleu", found.score, np.nan, np.nan))
    return pd.DataFrame(rows, columns=["factor", "value", "count", "of"])


def brevity_curve(n_candidate: int, n_reference: int) -> pd.DataFrame:
    """BLEU's brevity penalty against the candidate's length, and where the candidate is.

    Args:
        n_candidate, n_reference: Their tokens; a reference without tokens penalises nothing.
    """
    ratios = np.linspace(0, LONGEST_RATIO, 201)
    curve = pd.DataFrame(
        {"ratio": ratios, "penalty": [brevity_penalty(round(1000 * each), 1000) for each in ratios]}
    )
    ratio = n_candidate / n_reference if n_reference else LONGEST_RATIO
    penalty = brevity_penalty(n_candidate, n_reference)
    here = {"ratio": min(ratio, LONGEST_RATIO), "penalty": penalty, "is_here": True}
    return pd.concat([curve.assign(is_here=False), pd.DataFrame([here])], ignore_index=True)


def rouge_scores(found: Mapping[str, Sequence[Rouge]]) -> pd.DataFrame:
    """ROUGE scores, a row each; `tokenizer` is how the texts were cut."""
    rows = [
        (
            tokenizer, one.kind, one.precision, one.recall, one.f1, one.n_matched, one.n_candidate,
            one.n_reference, one.reference + 1,
        )
        for tokenizer, scores in found.items()
        for one in scores
    ]  # fmt: skip
    columns = ["tokenizer", "kind", "precision", "recall", "f1", "n_matched", "n_candidate", "n_reference"]
    return pd.DataFrame(rows, columns=[*columns, "reference"])


def board(answers: Sequence[PostedAnswer]) -> pd.DataFrame:
    """The answers of a board."""
    return pd.DataFrame(answers, columns=PostedAnswer._fields)


def votes_against(answers: Sequence[PostedAnswer]) -> pd.DataFrame:
    """Votes and metrics of the answers of a board, each metric as a share of its best, for one picture."""
    table = board(answers).assign(bleu=lambda rows: rows["bleu"] / 100)
    names = ["bleu", "rouge_l", "cosine"]
    long = table.melt(["number", "text", "kind", "votes"], names, "metric", "value")
    return long.dropna(subset="value")
