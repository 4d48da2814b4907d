"""Tables of a beam search and of two distributions."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts import beams as charts
from playground.charts import comparing as paired
from playground.core.beams import BeamSearch
from playground.core.comparing import overlap
from playground.core.tables import beams as frames_beams
from playground.core.tables import comparing as frames_comparing
from tests.charts.test_sampling import columns

LABELS = {0: "the", 1: "cat", 2: "sat"}


def searched() -> tuple[list, BeamSearch]:
    search = BeamSearch(2, max_new_tokens=3)
    steps = [search.step(np.log([[0.5, 0.3, 0.2]]))]
    while not search.done:
        steps.append(search.step(np.log([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]])))
    return steps, search


def test_a_byte_in_the_tree_stands_with_what_its_beam_has_begun() -> None:
    """After 대 begun with EB, 8C goes on with it; after a whole letter the same byte begins nothing."""
    search = BeamSearch(2, max_new_tokens=2)
    steps = [search.step(np.log([[0.6, 0.3, 0.1]]))]
    steps.append(search.step(np.log([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8]])))
    table = frames_beams.tree(steps, {0: "<EB>", 1: "a", 2: "<8C 80>"}, None)
    last = table[(table["step"] == 2) & table["token"].str.contains("8C")]
    assert dict(zip(last["parent_place"], last["token"], strict=True)) == {1: "8C 80 (대)", 2: "8C 80 (��)"}
    assert table.loc[table["step"] == 1, "token"].tolist()[:2] == ["EB …", "a"]


def test_the_tree_leads_every_candidate_back_to_the_text() -> None:
    steps, search = searched()
    table = frames_beams.tree(steps, LABELS, search.hypotheses[0])
    assert table.columns.tolist() == list(frames_beams.TREE)
    assert len(table) == sum(map(len, steps))
    places = table.set_index(["step", "place"])
    for (step, _place), row in places.iterrows():
        if step == 1:
            assert (row["parent_step"], row["parent_place"]) == (0, 1)
        else:
            parent = places.loc[(row["parent_step"], row["parent_place"])]
            assert parent["fate"] == "kept"
            assert row["logprob"] == pytest.approx(parent["logprob"] + np.log(row["probability"]))
    best = table[table["on_best"]].sort_values("step")
    assert best["token"].tolist() == [LABELS[one] for one in search.hypotheses[0].token_ids]
    assert best["logprob"].iloc[-1] == pytest.approx(search.hypotheses[0].logprob)
    assert best["fate"].tolist() == ["kept", "kept", "cut"]


def test_pictures_read_the_columns_of_their_tables() -> None:
    words = dict.fromkeys(
        ("step", "place", "token", "probability", "logprob", "kept", "ended", "cut", "dropped", "beam",
         "greedy", "sampled", "setting"), "word",
    )  # fmt: skip
    assert columns(charts.beam_tree(words, n_steps=5, n_places=8)) <= set(frames_beams.TREE)
    assert columns(charts.token_probabilities(words)) <= set(frames_beams.PROBABILITIES)
    assert columns(paired.paired_bars(words, n_tokens=4)) <= set(frames_comparing.COLUMNS)


def test_two_distributions_are_compared_token_by_token() -> None:
    first, second = {"a": 0.6, "b": 0.4}, {"b": 0.9, "c": 0.1}
    labels = {"a": "·a", "b": "·b"}
    table = frames_comparing.most_probable(first, second, labels, 2)
    assert table.to_numpy().tolist() == [
        ["·b", "A", 0.4], ["·b", "B", 0.9], ["·a", "A", 0.6], ["·a", "B", 0.0],
    ]  # fmt: skip
    assert overlap(first, second) == pytest.approx(0.4)
    assert overlap(first, first) == pytest.approx(1.0)
    assert overlap(first, {"d": 1.0}) == 0.0
