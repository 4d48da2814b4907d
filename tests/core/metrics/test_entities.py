"""Entities: equal to seqeval and to sets of spans."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from playground.core.metrics.entities import Entity, entities, entity_scores

LABELS = ["O", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-인물", "I-인물"]
label = st.sampled_from(LABELS)
corpora = st.lists(st.lists(st.tuples(label, label), max_size=8), max_size=5)


@given(corpora)
def test_the_figures_are_seqevals_and_those_of_sets(rows: list[list[tuple[str, str]]]) -> None:
    right = [[one for one, _ in row] for row in rows]
    predicted = [[other for _, other in row] for row in rows]
    found = entity_scores(right, predicted)
    truth, guess = (
        {(at, *vars_of(each)) for at, row in enumerate(side) for each in entities(row)}
        for side in (right, predicted)
    )
    hits = len(truth & guess)
    assert (found.n, found.n_predicted) == (len(truth), len(guess))
    assert found.precision == pytest.approx(hits / max(len(guess), 1))
    assert found.recall == pytest.approx(hits / max(len(truth), 1))
    if truth | guess:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = [
                each(right, predicted, zero_division=0) for each in (precision_score, recall_score, f1_score)
            ]
        assert [found.precision, found.recall, found.f1] == pytest.approx(theirs)


def vars_of(entity: Entity) -> tuple[int, int, str]:
    return entity.start, entity.stop, entity.kind


def test_the_notes_example_is_two_entities() -> None:
    labels = ["B-ORG", "O", "O", "O", "B-LOC"]  # Apple is based in California
    found = entity_scores([labels], [["B-ORG", "O", "O", "O", "O"]])
    assert entities(labels) == (Entity(0, 1, "ORG"), Entity(4, 5, "LOC"))
    assert (found.precision, found.recall, found.f1) == pytest.approx((1, 0.5, 2 / 3))
    assert [(each.label, each.n, each.n_predicted, each.f1) for each in found.by_kind] == [
        ("LOC", 1, 0, 0.0),
        ("ORG", 1, 1, 1.0),
    ]


def test_texts_without_entities_have_no_figures_but_0() -> None:
    assert entity_scores([["O", "O"]], [["O", "O"]]).f1 == 0
    assert entity_scores([], []).by_kind == ()


def test_other_labels_and_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="'ORG' is no BIO label"):
        entities(["ORG"])
    with pytest.raises(ValueError, match="differ"):
        entity_scores([["O"]], [["O", "O"]])
    with pytest.raises(ValueError, match="differ"):
        entity_scores([["O"]], [])
