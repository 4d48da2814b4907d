"""Table of one labelled set answered in several ways."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from playground.core.metrics.classification import Classification
from playground.core.ways import BASELINE, WayAnswers

COLUMNS = (
    "way", "model", "accuracy", "low", "high", "n_right", "n", "precision", "recall", "f1", "seconds",
    "training_s", "n_trained", "chance",
)  # fmt: skip


def ways(
    answers: Mapping[str, WayAnswers], figures: Mapping[str, Classification], chance: float
) -> pd.DataFrame:
    """One row a way, the baseline last; times and trained numbers are missing where there is no model.

    Args:
        answers: Way -> its answers.
        figures: Way, or the baseline -> figures.
        chance: Accuracy of always giving the commonest label.

    Returns:
        way, model, accuracy, low, high (Wilson's 95 % interval), n_right, n, precision, recall, f1 (means
        over the labels), seconds (of the answers), training_s, n_trained, chance.
    """
    rows = []
    for who in (*answers, BASELINE):
        one, found = answers.get(who), figures[who]
        rows.append(
            (
                who, one.model_id if one else "", found.accuracy, *found.accuracy_interval,
                int(np.trace(found.confusion)), found.n, found.precision, found.recall, found.f1,
                one.seconds if one else np.nan, one.training_s if one else np.nan,
                one.n_trained if one else np.nan, chance,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
