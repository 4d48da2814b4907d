"""A head on frozen vectors: its features, and a fit that is the least of its loss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from playground.core.families import trained_head
from playground.core.pair_head import ALPHA, C, head_answers, head_features

RNG = np.random.default_rng(2)


def vectors(n: int, n_texts: int, d_model: int = 6) -> np.ndarray:  # type: ignore[type-arg]
    return RNG.normal(size=(n, n_texts, d_model))


def test_features_of_a_pair_are_both_vectors_their_difference_and_product() -> None:
    read = vectors(5, 2)
    found = head_features(read)
    for row, (u, v) in zip(found, read, strict=True):
        np.testing.assert_array_equal(row, [*u, *v, *np.abs(u - v), *(u * v)])
    np.testing.assert_array_equal(head_features(read[:, :1]), read[:, 0])


def test_one_text_and_two_labels_is_the_head_of_the_page_families() -> None:
    train, asked = vectors(30, 1), vectors(20, 1)
    positive = (train[:, 0, 0] + RNG.normal(size=30) > 0).tolist()
    labels = ["yes" if one else "no" for one in positive]
    found = head_answers(train, labels, asked)
    head = trained_head(train[:, 0], positive)
    assert list(found.answers) == ["yes" if p > 0.5 else "no" for p in head.probabilities(asked[:, 0])]
    assert found.n_parameters == 7


def test_a_number_is_the_least_of_the_penalised_squares() -> None:
    train, asked = vectors(30, 2, 2), vectors(8, 2, 2)
    numbers = RNG.uniform(0, 5, 30)
    x = head_features(train)

    def loss(w: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(((x @ w[:-1] + w[-1] - numbers) ** 2).sum() + ALPHA * w[:-1] @ w[:-1])

    w = minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-8}).x
    found = head_answers(train, numbers.tolist(), asked)
    np.testing.assert_allclose(found.answers, head_features(asked) @ w[:-1] + w[-1], atol=1e-4)
    assert found.n_parameters == 9


def test_three_labels_are_told_apart_where_they_lie_apart() -> None:
    centres = np.array([[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]])
    labels = [f"label {n % 3}" for n in range(60)]
    train, asked = ((centres[np.arange(60) % 3] + RNG.normal(size=(60, 3)) / 4)[:, None] for _ in range(2))
    found = head_answers(train, labels, asked)
    assert list(found.answers) == labels
    assert found.n_parameters == 3 * 4


def test_the_same_items_give_the_same_answers() -> None:
    train, asked = vectors(30, 2), vectors(20, 2)
    labels = RNG.choice(["a", "b"], 30).tolist()
    assert head_answers(train, labels, asked) == head_answers(train, labels, asked)
    assert pytest.approx(1 / ALPHA) == C
