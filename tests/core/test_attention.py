"""Attention against torch, and the laws of what is derived from it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from playground.core.attention import (
    attention_weights,
    causal_mask,
    merge_words,
    rollout,
    row_arithmetic,
    scaled_dot_product,
    smallest_set,
    thumbnails,
    without_keys,
)

RNG = np.random.default_rng(4)


def maps(*shape: int) -> np.ndarray:
    weights: np.ndarray = RNG.dirichlet(np.full(shape[-1], 0.3), size=shape[:-1])
    return weights


@pytest.mark.parametrize("mask", [None, "causal", "added", "none allowed"])
def test_scaled_dot_product_is_torchs(mask: str | None) -> None:
    q, k, v = (RNG.normal(size=shape) for shape in ((2, 3, 6, 8), (2, 3, 6, 8), (2, 3, 6, 5)))
    given_mask = {
        None: None,
        "causal": causal_mask(6),
        "added": RNG.normal(size=(6, 6)),
        "none allowed": causal_mask(6) & (np.arange(6) != 0)[:, None],
    }[mask]
    ours = scaled_dot_product(q, k, v, given_mask)
    theirs = scaled_dot_product_attention(
        *map(torch.from_numpy, (q, k, v)), None if given_mask is None else torch.from_numpy(given_mask)
    )
    np.testing.assert_allclose(ours, torch.nan_to_num(theirs), atol=1e-12)


def test_weights_sum_to_one_and_the_mask_is_exact() -> None:
    weights = attention_weights(RNG.normal(size=(4, 7, 3)) * 50, RNG.normal(size=(4, 7, 3)), causal_mask(7))
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-12)
    assert (weights[:, ~causal_mask(7)] == 0).all()


def test_hiding_a_sink_stretches_the_rest_and_tells_what_went() -> None:
    weights = maps(2, 5, 5)
    left, removed = without_keys(weights, np.array([True, False, False, False, True]))
    np.testing.assert_allclose(left.sum(-1), 1)
    np.testing.assert_allclose(removed, weights[..., 0] + weights[..., 4])
    np.testing.assert_allclose(left[..., 1] / left[..., 2], weights[..., 1] / weights[..., 2])
    all_gone, mass = without_keys([[1.0, 0.0]], np.array([True, False]))
    assert all_gone.tolist() == [[0, 0]]
    assert mass.tolist() == [1]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda row: sum(row) > 0), st.floats(0.01, 1)
)
def test_smallest_set_covers_and_no_smaller_one_does(row: list[float], coverage: float) -> None:
    weights = np.array(row) / sum(row)
    chosen = smallest_set(weights, coverage)
    assert weights[chosen].sum() >= coverage - 1e-9
    n = int(chosen.sum())
    assert n == 1 or np.sort(weights)[::-1][: n - 1].sum() < coverage


def test_smallest_set_refuses_what_cannot_be_covered() -> None:
    for coverage in (0, -1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="coverage"):
            smallest_set([0.5, 0.5], coverage)


def test_words_take_what_their_tokens_take() -> None:
    weights = maps(3, 5, 5)
    merged = merge_words(weights, np.array([0, 0, 1, 2, 2]))
    np.testing.assert_allclose(merged.sum(-1), 1)
    np.testing.assert_allclose(merged[:, 1, 0], weights[:, 2, 0] + weights[:, 2, 1])
    np.testing.assert_allclose(merged[:, 0, 1], (weights[:, 0, 2] + weights[:, 1, 2]) / 2)
    np.testing.assert_allclose(merge_words(weights, np.arange(5)), weights)


def test_rollout_is_the_sum_over_all_paths() -> None:
    attentions = maps(3, 2, 4, 4)
    steps = [0.5 * layer.mean(0) + 0.5 * np.eye(4) for layer in attentions]
    paths = np.zeros((4, 4))
    for a in range(4):
        for b in range(4):
            for c in range(4):
                for d in range(4):
                    paths[a, d] += steps[2][a, b] * steps[1][b, c] * steps[0][c, d]
    np.testing.assert_allclose(rollout(attentions), paths, atol=1e-12)
    np.testing.assert_allclose(rollout(attentions).sum(-1), 1)
    causal = np.tril(attentions) / np.tril(attentions).sum(-1, keepdims=True)
    assert (np.triu(rollout(causal), 1) == 0).all()


@pytest.mark.parametrize("n", [1, 5, 16, 17, 40, 64])
def test_thumbnails_keep_the_largest_weight_of_each_tile(n: int) -> None:
    whole = RNG.random(size=(2, 3, n, n), dtype=np.float32)
    side = min(n, 16)
    edges = np.arange(side + 1) * n // side
    tiles = [slice(*pair) for pair in pairwise(edges)]
    largest = np.array([[whole[..., rows, keys].max((-1, -2)) for keys in tiles] for rows in tiles])
    small = thumbnails(whole)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, np.round(255 * np.sqrt(largest.transpose(2, 3, 0, 1))))


def test_one_row_is_a_row_of_the_whole() -> None:
    q, k, v = RNG.normal(size=(3, 6, 8))
    output = RNG.normal(size=(8, 10))
    row = row_arithmetic(q[3], k, v, causal_mask(6)[3], output)
    np.testing.assert_allclose(row.weights, attention_weights(q, k, causal_mask(6))[3])
    np.testing.assert_allclose(row.mixed, scaled_dot_product(q, k, v, causal_mask(6))[3])
    np.testing.assert_allclose(row.products.sum(-1), row.scores)
    np.testing.assert_allclose(row.scaled[:4], q[3] @ k[:4].T / np.sqrt(8))
    assert np.isneginf(row.scaled[4:]).all()
    np.testing.assert_allclose(row.written[2], row.weights[2] * np.linalg.norm(v[2] @ output))
