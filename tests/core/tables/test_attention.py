"""One row of attention: what its numbers must add up to."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core.attention import (
    RowArithmetic,
    entropy_bits,
    overlaps,
    row_arithmetic,
    row_weights,
    scaled_dot_product,
)
from playground.core.tables import attention as frames

N, D_HEAD, D_MODEL = 9, 16, 24


@pytest.fixture
def parts() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "query": 3 * rng.normal(size=D_HEAD),
        "keys": rng.normal(size=(N, D_HEAD)),
        "values": rng.normal(size=(N, D_HEAD)),
        "allowed": np.arange(N) <= 5,
        "output": rng.normal(size=(D_HEAD, D_MODEL)),
    }


@pytest.fixture
def made(parts: dict[str, np.ndarray]) -> RowArithmetic:
    return row_arithmetic(**parts)


def test_a_row_is_one_row_of_attention(parts: dict[str, np.ndarray], made: RowArithmetic) -> None:
    whole = scaled_dot_product(parts["query"][None], parts["keys"], parts["values"], parts["allowed"][None])
    np.testing.assert_allclose(made.mixed, whole[0], atol=1e-12)
    np.testing.assert_allclose(made.products.sum(1), made.scores, atol=1e-12)
    assert made.weights.sum() == pytest.approx(1)
    assert not made.weights[6:].any()


def test_overlaps_give_every_length(parts: dict[str, np.ndarray], made: RowArithmetic) -> None:
    products = overlaps(parts["values"], parts["output"])
    np.testing.assert_allclose(made.weights * np.sqrt(np.diag(products)), made.written, atol=1e-12)
    together = np.linalg.norm(made.mixed @ parts["output"])
    assert np.sqrt(made.weights @ products @ made.weights) == pytest.approx(together)


def test_a_small_divisor_leaves_one_key_and_a_large_one_all(made: RowArithmetic) -> None:
    allowed = np.isfinite(made.scaled)
    divisors = [1e-3, 0.3, 1.0, 4.0, 16.0, 1e6]
    bits = [entropy_bits(row_weights(made.scores, allowed, divisor)) for divisor in divisors]
    assert bits == sorted(bits)
    assert bits[0] == pytest.approx(0, abs=1e-6)
    assert bits[-1] == pytest.approx(np.log2(6), abs=1e-6)
    np.testing.assert_allclose(row_weights(made.scores, allowed, D_HEAD**0.5), made.weights, atol=1e-12)
    assert not row_weights(made.scores, np.zeros(N, bool), 1.0).any()


def test_the_table_of_a_row_holds_its_numbers(made: RowArithmetic) -> None:
    table = frames.row([f"t{i}" for i in range(N)], made, 2.0)
    assert table["key"].tolist() == list(range(N))
    np.testing.assert_allclose(table.filter(like="product_").sum(axis=1), table["score"], atol=1e-12)
    np.testing.assert_allclose(table["scaled"] * 4, table["score"])
    np.testing.assert_allclose(table["divided"] * 2, table["score"])
    for scores, weights in (("scaled", "weight"), ("divided", "divided_weight")):
        e = np.exp(table[scores] + table["mask"])
        np.testing.assert_allclose(table[weights], e / e.sum(), atol=1e-12)


def test_the_table_of_a_map_has_every_cell_once() -> None:
    weights = np.random.default_rng(1).dirichlet(np.ones(4), size=(3, 4)).astype(np.float32)
    allowed = np.tril(np.ones((4, 4), bool))
    table = frames.mean_map(["a", "b", "a", "<b>"], weights, allowed)
    assert len(table) == 16
    assert table["key_token"].unique().tolist() == ["0: a", "1: b", "2: a", "3: <b>"]
    for name, matrix in (("weight", weights.mean(0)), ("allowed", allowed)):
        square = table.pivot_table(name, "query", "key", aggfunc="first").to_numpy().astype(float)
        np.testing.assert_allclose(square, matrix, atol=1e-7)
