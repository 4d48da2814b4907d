"""Classification: predicted labels against the right ones. Figures by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.intervals import N_RESAMPLES, percentile_interval, wilson_interval


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Figures of one label; a division by nothing counts as 0, as the field does.

    Attributes:
        label: The label.
        n: Items that have it.
        n_predicted: Items that were given it.
        precision: Share of the items that were given it that have it.
        recall: Share of the items that have it that were given it.
        f1: Harmonic mean of both.
    """

    label: str
    n: int
    n_predicted: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Classification:
    """Figures of a list of predicted labels.

    Attributes:
        labels: The labels: the known ones first, then unknown ones in alphabetical order.
        confusion: Items by right label (row) and predicted label (column), shape [label, label].
        accuracy: Share of right predictions, with Wilson's interval.
        precision, recall, f1: Means over the labels that occur, each counted once (macro); that of F1 with a
            bootstrap interval.
        matthews: Matthews' correlation, with a bootstrap interval; 0 where there is one label only.
        by_label: Figures of each label that occurs.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    accuracy: float
    accuracy_interval: tuple[float, float]
    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]
    matthews: float
    matthews_interval: tuple[float, float]
    by_label: tuple[LabelScore, ...]

    @property
    def n(self) -> int:
        """Items."""
        return int(self.confusion.sum())

    @property
    def majority(self) -> float:
        """Accuracy of the answer that is always the commonest right label: the chance to beat."""
        return int(self.confusion.sum(1).max()) / self.n


def classification(
    right: Sequence[str], predicted: Sequence[str], labels: Sequence[str] = (), *, seed: int = 0
) -> Classification:
    """Accuracy, precision, recall, F1, Matthews' correlation and confusion of predicted labels.

    Args:
        right: The right labels, one an item.
        predicted: The predicted labels, in the same order; one that no item has is a label like any other.
        labels: Known labels, in the order in which they are shown.
        seed: Of the resamples of the intervals.

    Raises:
        ValueError: There are no items, or the lists differ in length.

    Example:
        >>> found = classification(["no", "no", "yes", "yes"], ["no", "yes", "yes", "yes"])
        >>> found.accuracy, round(found.f1, 3), round(found.matthews, 3), found.confusion.tolist()
        (0.75, 0.733, 0.577, [[1, 1], [0, 2]])
    """
    if not right or len(right) != len(predicted):
        raise ValueError(f"{len(right)} right and {len(predicted)} predicted labels")
    from sklearn import metrics  # 1 s to import

    occurring = {*right, *predicted}
    known = tuple(dict.fromkeys(labels))
    names = (*known, *sorted(occurring - {*known}))
    number = {name: index for index, name in enumerate(names)}
    truth, guess = [number[name] for name in right], [number[name] for name in predicted]
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (truth, guess), 1)  # scikit-learn's warns of a single label
    scored = [number[name] for name in names if name in occurring]
    precision, recall, f1, n = metrics.precision_recall_fscore_support(
        truth, guess, labels=scored, zero_division=0
    )
    n_predicted = confusion.sum(0)
    by_label = tuple(
        LabelScore(
            names[at], int(n[row]), int(n_predicted[at]), *map(float, (precision[row], recall[row], f1[row]))
        )
        for row, at in enumerate(scored)
    )
    resampled = _resampled(confusion, seed)
    return Classification(
        names,
        confusion,
        accuracy=float(metrics.accuracy_score(truth, guess)),
        accuracy_interval=wilson_interval(int(np.trace(confusion)), len(truth)),
        precision=float(np.mean(precision)),
        recall=float(np.mean(recall)),
        f1=float(np.mean(f1)),
        f1_interval=percentile_interval(macro_f1(*resampled)),
        matthews=_matthews(truth, guess),
        matthews_interval=percentile_interval(matthews(*resampled)),
        by_label=by_label,
    )


def _matthews(truth: list[int], guess: list[int]) -> float:
    """Matthews' correlation by scikit-learn, which warns of a single label and gives 0."""
    from sklearn import metrics

    return float(metrics.matthews_corrcoef(truth, guess)) if len({*truth, *guess}) > 1 else 0.0


Sums = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]  # each of shape [resample, label]


def _resampled(confusion: NDArray[np.int64], seed: int) -> Sums:
    """Items by right label, by predicted label, and rightly predicted ones, of resampled items."""
    rows, columns = np.nonzero(confusion)  # items of one cell are alike, so counts of cells are drawn
    counts = confusion[rows, columns]
    n = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(n, counts / n, size=N_RESAMPLES).astype(np.float64)
    one_hot = np.eye(len(confusion))
    return draws @ one_hot[rows], draws @ one_hot[columns], draws @ (one_hot[rows] * one_hot[columns])


def matthews(
    right: NDArray[np.float64], predicted: NDArray[np.float64], hits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Matthews' correlation, 0 where right or predicted labels are all the same.

    Args:
        right: Items by right label, shape [..., label].
        predicted: Items by predicted label, shape [..., label].
        hits: Rightly predicted items by label, shape [..., label].

    Returns:
        Shape [...].

    Source:
        Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    n = right.sum(-1)
    covariance = hits.sum(-1) * n - (right * predicted).sum(-1)
    spread = (n * n - (right * right).sum(-1)) * (n * n - (predicted * predicted).sum(-1))
    return np.asarray(np.divide(covariance, np.sqrt(spread), out=np.zeros_like(n), where=spread > 0))


def macro_f1(
    right: NDArray[np.float64], predicted: NDArray[np.float64], hits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean F1 over the labels that occur as right or as predicted ones.

    Args:
        right, predicted, hits: As in `matthews`, shape [..., label].

    Returns:
        Shape [...].
    """
    both = right + predicted
    f1 = np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(f1.sum(-1) / np.maximum((both > 0).sum(-1), 1))
