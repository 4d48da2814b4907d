"""Tables of few-shot prompts: they add up."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts import prompting as charts
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import prompting as frames

POINTS = {
    ("true", 1, 1): [True, False, True, True],
    ("true", 0, 0): [False, False, True, False],
    ("true", 1, 0): [True, True, True, True],
}


def test_a_sweep_adds_up() -> None:
    table = frames.shots(POINTS)  # type: ignore[arg-type]
    assert table[["n_shot", "draw", "n_right"]].to_numpy().tolist() == [[0, 0, 1], [1, 0, 4], [1, 1, 3]]
    assert (table["accuracy"] == table["n_right"] / table["n_items"]).all()
    means = frames.means(table)
    assert means["accuracy"].tolist() == [0.25, 0.875]
    assert means["n_draws"].tolist() == [1, 2]
    assert tuple(means.loc[1, ["low", "high"]]) == pytest.approx(wilson_interval(3.5, 4))


def test_a_picture_of_a_sweep_gets_marks_and_means() -> None:
    table = frames.points_and_means(frames.shots(POINTS))  # type: ignore[arg-type]
    assert table["draw"].isna().sum() == 2
    assert table[table["draw"].notna()]["low"].isna().all()


def test_what_an_example_added_is_the_difference() -> None:
    table = frames.without_each([("a", "x"), ("b", "y")], 0.7, [0.9, 0.4])
    assert table["change"].tolist() == pytest.approx([-0.2, 0.3])
    assert table["left_out"].tolist() == [1, 2]


def test_the_most_probable_labels_come_first_in_both_prompts() -> None:
    probs = {"none": np.array([0.6, 0.3, 0.1]), "shots": np.array([0.1, 0.2, 0.7])}
    logprobs = {"none": [-1.0, -2.0, -3.0], "shots": [-3.0, -2.0, -1.0]}
    table = frames.labels(["a", "b", "c"], probs, logprobs, [1, 1, 2], "c")
    assert table.groupby("prompt")["probability"].sum().tolist() == pytest.approx([1, 1])
    shown = frames.most_probable(table, 2)
    assert shown["label"].tolist() == ["c", "c", "b", "b"]
    assert shown["right"].tolist() == [True, True, False, False]


def test_orders_say_which_labels_came_when() -> None:
    table = frames.orders([(["a", "b"], [True, False]), (["b", "a"], [True, True])])
    assert table["labels"].tolist() == ["a · b", "b · a"]
    assert table["accuracy"].tolist() == [0.5, 1.0]


def test_pictures_read_the_columns_of_their_tables() -> None:
    words = dict.fromkeys(
        ("label", "probability", "logprob", "tokens", "none", "shots", "prompt", "n_shot", "accuracy", "draw",
         "true", "flipped", "random", "chance", "labels", "low", "high", "place", "change", "text", "without",
         "order"), "it's",
    )  # fmt: skip
    drawn = {
        charts.label_bars: (charts.label_bars(words), frames.LABELS),
        charts.accuracy_by_shots: (
            charts.accuracy_by_shots(words, conditions=["true"], n_shots=[0, 1], chance=0.5),
            (*frames.SHOTS, *frames.MEANS),
        ),
        charts.changes: (charts.changes(words, n_demos=2), frames.WITHOUT),
        charts.orders: (charts.orders(words, chance=0.5), frames.ORDERS),
    }
    for spec, columns in drawn.values():
        for layer in spec["layer"]:
            for channel in layer["encoding"].values():
                for one in channel if isinstance(channel, list) else [channel]:
                    assert one.get("field", columns[0]) in (*columns, "said", "shown")
