"""Labels of a map: inside it, beside their points, none on another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from playground.charts import embedding_maps as charts
from playground.charts.labels import place_labels, width

FONT = 12.5


def boxes(frame: pd.DataFrame, text: str) -> np.ndarray:
    left, middle = frame["label_x"].to_numpy(), frame["label_y"].to_numpy()
    wide = np.array([width(str(label), FONT) for label in frame[text]])
    return np.stack([left, middle - FONT / 2, left + wide, middle + FONT / 2], axis=1)


def n_overlaps(found: np.ndarray) -> int:
    low = np.maximum(found[:, None, :2], found[None, :, :2])
    high = np.minimum(found[:, None, 2:], found[None, :, 2:])
    return int(np.triu((high - low > 0.01).all(axis=-1), 1).sum())


@pytest.mark.parametrize("spread", [0.0, 1e-6, 1.0])
def test_words_at_one_place_are_written_apart(spread: float) -> None:
    n = 20
    points = np.random.default_rng(0).normal(size=(n, 2)) * spread
    words = [f"Germany{i}" for i in range(n)]
    frame = pd.DataFrame({"map": "trained", "label": words, "group": [1 + i % 4 for i in range(n)]})
    drawn = charts.group_points(frame.assign(x=points[:, 0], y=points[:, 1]))
    found = boxes(drawn, "label")
    assert n_overlaps(found) == 0
    assert found.min() >= 0
    assert (found[:, 2] <= 380).all()
    assert (found[:, 3] <= 300).all()
    assert drawn["name"].tolist()[:5] == ["1: Germany0 …", *[f"{k}: Germany{k - 1} …" for k in (2, 3, 4)],
                                          "1: Germany0 …"]  # fmt: skip


def test_a_cluster_with_one_point_far_away() -> None:
    points = np.vstack([np.full((11, 2), -0.01), [[0.9, 0.2]]])
    frame = pd.DataFrame({"number": range(1, 13), "sentence": "s", "sense": 1})
    drawn = charts.context_points(frame.assign(x=points[:, 0], y=points[:, 1]))
    assert n_overlaps(boxes(drawn, "number")) == 0
    apart = (drawn[["end_x", "end_y"]].to_numpy() != drawn[["drawn_x", "drawn_y"]].to_numpy()).any(axis=1)
    assert apart.any(), "a line leads to a number that stands apart"
    assert not apart[-1]


def test_the_axes_fit_the_layer_shown() -> None:
    frame = pd.DataFrame({"number": [1, 2], "sentence": "s", "sense": 1, "x": [1.0, -1.0], "y": [0.2, 0.0]})
    small = frame.assign(x=frame["x"] / 100, y=frame["y"] / 100)
    for column in ("drawn_x", "drawn_y", "label_x", "label_y"):
        np.testing.assert_allclose(
            charts.context_points(small)[column], charts.context_points(frame)[column], atol=1e-6
        )


def test_places_are_the_same_every_time() -> None:
    points = np.random.default_rng(1).uniform(0, 100, (15, 2))
    first, again = (place_labels(points, ["word"] * 15, size=(380, 300), font=FONT) for _ in range(2))
    np.testing.assert_array_equal(first, again)
