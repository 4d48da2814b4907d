"""Tables of a reader's own predictions; the column names are written here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from playground.core.files.prediction_rows import Prediction
from playground.core.metrics.classification import Classification
from playground.core.metrics.predictions import RowScores, Summary


def rows(predictions: Sequence[Prediction], scores: Sequence[RowScores]) -> pd.DataFrame:
    """Each prediction with its scores."""
    return pd.DataFrame(
        {
            "row": one.row,
            "reference": " | ".join(one.references),
            "candidate": one.candidate,
            **found.scores,
        }
        for one, found in zip(predictions, scores, strict=True)
    )


def report(summaries: Sequence[Summary], signature: str) -> pd.DataFrame:
    """Each score of all predictions, with its interval; BLEU with its signature."""
    return pd.DataFrame(
        {
            "score": one.name, "value": one.value, "low": one.low, "high": one.high, "mean_of_rows": one.mean,
            "signature": signature if one.name == "bleu" else "",
        }
        for one in summaries
    )  # fmt: skip


def histogram(scores: Sequence[RowScores], name: str) -> pd.DataFrame:
    """One score of each prediction."""
    return pd.DataFrame({"score": [one.scores[name] for one in scores]})


def confusion(found: Classification) -> pd.DataFrame:
    """A confusion matrix, a row a cell."""
    return pd.DataFrame(
        [
            (right, predicted, int(found.confusion[i, j]))
            for i, right in enumerate(found.labels)
            for j, predicted in enumerate(found.labels)
        ],
        columns=["right", "predicted", "n"],
    )


def by_label(found: Classification) -> pd.DataFrame:
    """Precision, recall and F1 of each label."""
    return pd.DataFrame(
        [(one.label, one.n, one.n_predicted, one.precision, one.recall, one.f1) for one in found.by_label],
        columns=["label", "n", "n_predicted", "precision", "recall", "f1"],
    )
