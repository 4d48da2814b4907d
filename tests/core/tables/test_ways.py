"""The table of the ways."""

from __future__ import annotations

import numpy as np

from playground.core.metrics.classification import classification
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import ways as frames
from playground.core.ways import WayAnswers


def test_a_row_has_the_figures_of_its_answers_and_the_baseline_no_cost() -> None:
    right = ["no", "no", "yes", "yes"]
    told = {"frozen": ("no", "yes", "yes", "yes"), "words": ("no", "no", "no", "no")}
    figures = {who: classification(right, answers) for who, answers in told.items()}
    one = WayAnswers("frozen", "rte", ("en",), "a/b", "c", told["frozen"], 1.5, 3.0, 770)
    table = frames.ways({"frozen": one}, figures, 0.5)
    assert table["way"].tolist() == ["frozen", "words"]
    first, last = table.iloc[0], table.iloc[1]
    assert (first["n_right"], first["n"], first["accuracy"]) == (3, 4, 0.75)
    assert (first["low"], first["high"]) == wilson_interval(3, 4)
    assert (first["seconds"], first["training_s"], first["n_trained"]) == (1.5, 3.0, 770)
    assert last["accuracy"] == 0.5
    assert np.isnan(last[["seconds", "training_s", "n_trained"]].astype(float)).all()
    assert table["chance"].tolist() == [0.5, 0.5]
