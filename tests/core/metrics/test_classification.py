"""Classification: equal to scikit-learn and to counts by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from playground.core.metrics.classification import Classification, classification, macro_f1, matthews
from playground.core.metrics.intervals import includes, wilson_interval

LABELS = ["긍정", "negative", "😀", "", "positive"]
rows = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


def scored(pairs: list[tuple[str, str]], labels: list[str] | None = None) -> Classification:
    return classification([one for one, _ in pairs], [other for _, other in pairs], labels or [])


@given(rows)
def test_the_figures_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    found = scored(pairs)
    right, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    assert found.accuracy == metrics.accuracy_score(right, predicted)
    assert found.accuracy == np.mean([one == other for one, other in pairs])
    expected = metrics.precision_recall_fscore_support(right, predicted, average="macro", zero_division=0)
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "a single label was found"
        assert found.matthews == metrics.matthews_corrcoef(right, predicted)
        each = metrics.precision_recall_fscore_support(right, predicted, labels=found.labels, zero_division=0)
        counts = metrics.confusion_matrix(right, predicted, labels=found.labels)
    assert found.confusion.tolist() == counts.tolist()
    assert [one.f1 for one in found.by_label] == each[2].tolist()
    assert [one.n for one in found.by_label] == each[3].tolist()


@given(rows)
def test_the_resampled_figures_are_the_same_figures(pairs: list[tuple[str, str]]) -> None:
    found = scored(pairs)
    sums = [
        each.astype(float)
        for each in (found.confusion.sum(1), found.confusion.sum(0), np.diagonal(found.confusion))
    ]
    assert float(matthews(*sums)) == pytest.approx(found.matthews)
    assert float(macro_f1(*sums)) == pytest.approx(found.f1)


@given(rows)
@settings(max_examples=25)
def test_every_interval_is_of_its_figure(pairs: list[tuple[str, str]]) -> None:
    found = scored(pairs)
    n_right = sum(one == other for one, other in pairs)
    assert found.accuracy_interval == wilson_interval(n_right, len(pairs))
    for low, high in (found.f1_interval, found.matthews_interval):
        assert -1 <= low <= high <= 1
    assert scored(pairs).matthews_interval == found.matthews_interval


def test_the_known_labels_come_first_and_unknown_ones_count() -> None:
    found = scored([("yes", "yes"), ("no", "maybe")], ["yes", "no", "never"])
    assert found.labels == ("yes", "no", "never", "maybe")
    assert found.confusion.shape == (4, 4)
    assert [one.label for one in found.by_label] == ["yes", "no", "maybe"]
    assert found.f1 == pytest.approx(1 / 3)


def test_one_label_alone_correlates_with_nothing() -> None:
    found = scored([("yes", "yes")] * 5)
    assert (found.accuracy, found.f1, found.matthews, found.majority) == (1.0, 1.0, 0.0, 1.0)
    assert includes(found.accuracy_interval, 1.0)


def test_a_thousand_labels_need_no_memory_for_their_squares() -> None:
    found = classification([f"a{at}" for at in range(1000)], [f"b{at}" for at in range(1000)])
    assert (found.accuracy, len(found.labels), found.matthews < 0.01) == (0.0, 2000, True)


@pytest.mark.parametrize(("right", "predicted"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_lists_that_do_not_fit_are_refused(right: list[str], predicted: list[str]) -> None:
    with pytest.raises(ValueError, match="labels"):
        classification(right, predicted)
