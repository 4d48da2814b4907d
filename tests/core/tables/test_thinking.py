"""Answers to the same problems as tables."""

from __future__ import annotations

import pytest

from playground.core.few_shot import Example
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import thinking as frames
from playground.core.tables.thinking import Transcript

ITEMS = (Example("3 + 4?", "7"), Example("5 x 240?", "1,200"))


def answers(prompt: str, *texts: str, finish: str | None = "end_of_text") -> list[Transcript]:
    return [Transcript(prompt, item, 0, text, finish) for item, text in enumerate(texts)]


def test_greedy_answers_are_compared_with_the_labels() -> None:
    written = answers("plain", "It is 7.0.", "1200") + answers("steps", "So: 8", "none", finish="length")
    table = frames.transcripts(written, ITEMS, 1)
    assert table.columns.tolist() == list(frames.TRANSCRIPTS)
    assert table["prompt"].tolist() == ["plain", "plain", "steps", "steps"]
    assert table["question"].tolist() == ["3 + 4?", "5 x 240?"] * 2
    assert table["transcript"].tolist() == ["It is 7.0.", "1200", "So: 8", "none"]
    assert table["answer"].tolist() == ["7", "1200", "8", ""]
    assert table["right_answer"].tolist() == ["7", "1200"] * 2
    assert table["right"].tolist() == [True, True, False, False]
    assert table["cut_off"].tolist() == [False, False, True, True]


def test_accuracies_have_wilsons_interval() -> None:
    written = answers("plain", "7", "1,200") + answers("steps", "7", "7")
    table = frames.accuracies(written, ITEMS, 1)
    assert table.columns.tolist() == list(frames.ACCURACIES)
    assert table[["prompt", "n_right", "n", "accuracy"]].values.tolist() == [
        ["plain", 2, 2, 1.0],
        ["steps", 1, 2, 0.5],
    ]
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx(wilson_interval(2, 2))
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx(wilson_interval(1, 2))


def test_the_majority_is_the_answer_and_each_vote_is_told() -> None:
    written = [Transcript("plain", 0, seed, text, "length") for seed, text in enumerate(["8", "7", "7"])]
    table = frames.transcripts(written, ITEMS, 3)
    assert table["seed"].tolist() == [0, 1, 2]
    assert table["read"].tolist() == ["8", "7", "7"]
    assert table["votes"].tolist() == ["1/3", "2/3", "2/3"]
    assert table["answer"].tolist() == ["7"] * 3
    assert table["right"].tolist() == [True] * 3
    assert frames.accuracies(written, ITEMS, 3)["n_right"].tolist() == [1]


def test_answers_without_a_number_do_not_vote_together() -> None:
    written = [Transcript("plain", 0, seed, "none", "length") for seed in range(3)]
    table = frames.transcripts(written, ITEMS, 3)
    assert table["votes"].tolist() == ["0/3"] * 3
    assert table["right"].tolist() == [False] * 3


def test_a_problem_counts_when_all_its_votes_are_complete() -> None:
    written = [
        *(Transcript("plain", 0, seed, "7", "length") for seed in range(2)),
        Transcript("plain", 1, 0, "1,200", "length"),
        Transcript("plain", 1, 1, "1,2"),
    ]
    assert frames.accuracies(written, ITEMS, 2)[["n_right", "n"]].values.tolist() == [[1, 1]]
    assert frames.transcripts(written, ITEMS, 2)["transcript"].tolist() == ["7", "7"]
    assert frames.accuracies(written[2:], ITEMS, 2).empty
