"""Vectors of a body that has learned something against those of one that has not: the same few labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TransferPoint:
    """Accuracy of a head that has seen some labels.

    Attributes:
        n_labels: Labelled texts that it has seen.
        accuracies: Share of the held-out texts that are told right, one for each draw of the labelled texts.
    """

    n_labels: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the draws."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """Standard deviation between the draws."""
        return float(np.std(self.accuracies))


def draws(labels: Sequence[str], n_labels: int, n_repeats: int, seed: int) -> list[NDArray[np.int64]]:
    """Places of the labelled texts of each repeat, with at least one of every label.

    The same for every body, so that all learn from the same texts.

    Args:
        labels: Label of each text that may be drawn.
        n_labels: Texts of a draw, at least as many as there are different labels.
        n_repeats: Number of draws.
        seed: Seed of the draws.

    Returns:
        Shape of each [n_labels].
    """
    random, known = np.random.default_rng(seed), np.asarray(labels)
    found = []
    for _ in range(n_repeats):
        first = [int(random.choice(np.flatnonzero(known == one))) for one in sorted(set(labels))]
        others = random.permutation(np.setdiff1d(np.arange(len(known)), first))
        found.append(np.array([*first, *others[: n_labels - len(first)]], dtype=np.int64))
    return found


def curve(
    vectors: NDArray[np.float32],
    labels: Sequence[str],
    asked: NDArray[np.float32],
    asked_labels: Sequence[str],
    n_labels: Sequence[int],
    *,
    n_repeats: int = 10,
    seed: int = 0,
) -> tuple[TransferPoint, ...]:
    """Accuracy of a logistic head on the vectors of a body, against the number of labels it has seen.

    Each number of a vector is brought to mean 0 and variance 1 over the texts that may be drawn: that needs
    no label. The head is scikit-learn's logistic regression as it comes (L2, C = 1).

    Args:
        vectors: Of the texts that may be drawn. Shape [text, d_model].
        labels: Their labels.
        asked: Vectors of held-out texts. Shape [asked, d_model].
        asked_labels: Their labels.
        n_labels: Numbers of labels, each at least the number of different ones and at most all texts.
        n_repeats, seed: As in `draws`.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = vectors.mean(0), vectors.std(0)
    scaled, held_out = ((one - mean) / np.where(deviation > 0, deviation, 1) for one in (vectors, asked))
    known, right = np.asarray(labels), np.asarray(asked_labels)
    points = []
    for n in n_labels:
        accuracies = []
        for some in draws(labels, n, n_repeats, seed):
            head = LogisticRegression(max_iter=1_000).fit(scaled[some], known[some])
            accuracies.append(float((head.predict(held_out) == right).mean()))
        points.append(TransferPoint(n, tuple(accuracies)))
    return tuple(points)
