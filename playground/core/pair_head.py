"""A linear head on frozen sentence vectors, for one text or for two that are judged together.

u, v --> [u, v, |u - v|, u * v] --> logistic regression for labels, ridge regression for numbers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

C = 10.0  # inverse of the penalty on the weights of logistic regression
ALPHA = 0.1  # penalty on the weights of ridge regression


def head_features(vectors: ArrayLike) -> NDArray[np.float64]:
    """The numbers of each item that the head sees: its vector, or both, how they differ and agree.

    Args:
        vectors: Sentence vectors of one or two texts each. Shape [item, text, d_model].

    Returns:
        Shape [item, d_model] for one text, [item, 4 d_model] for two.

    Example:
        >>> head_features([[[1.0, 2.0], [3.0, 2.0]]]).tolist()
        [[1.0, 2.0, 3.0, 2.0, 2.0, 0.0, 3.0, 4.0]]

    Source:
        Conneau et al. 2017, "Supervised Learning of Universal Sentence Representations", arXiv:1705.02364,
        3.1: concatenation, absolute difference, product.
    """
    read = np.asarray(vectors, dtype=np.float64)
    if read.shape[1] == 1:
        return read[:, 0]
    u, v = read[:, 0], read[:, 1]
    return np.concatenate([u, v, np.abs(u - v), u * v], axis=1)


@dataclass(frozen=True, slots=True)
class HeadAnswers:
    """The result of asking a trained head.

    Attributes:
        answers: A label or a number of each item.
        n_parameters: Numbers that were trained.
    """

    answers: tuple[str, ...] | tuple[float, ...]
    n_parameters: int


def head_answers(train: ArrayLike, labels: Sequence[str | float], asked: ArrayLike) -> HeadAnswers:
    """Fit the head on some items and ask it others; the fit has one solution, no seed.

    Args:
        train: Vectors of the items it learns from. Shape [item, text, d_model].
        labels: Their labels, two at least, or their numbers.
        asked: Vectors of the items it is asked about. Shape [item, text, d_model].
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    is_label = isinstance(labels[0], str)
    model: Any = LogisticRegression(C=C, max_iter=2_000, tol=1e-8) if is_label else Ridge(alpha=ALPHA)
    model.fit(head_features(train), list(labels))
    told = model.predict(head_features(asked)).tolist()
    return HeadAnswers(tuple(told), int(np.size(model.coef_) + np.size(model.intercept_)))
