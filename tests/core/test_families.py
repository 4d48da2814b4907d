"""Masks of three families, tokens that stand for each other, states that moved, a head on vectors."""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st_

from playground.core import families
from playground.core.last_word import other_word, with_last_word
from playground.core.tables import families as frames

RNG = np.random.default_rng(0)
ids = st_.lists(st_.integers(0, 3), min_size=1, max_size=8)


def test_a_mask_is_full_for_an_encoder_and_triangular_for_a_decoder() -> None:
    np.testing.assert_array_equal(families.may_look(5, 5), np.ones((5, 5), dtype=bool))
    np.testing.assert_array_equal(families.may_look(5, 0), np.tri(5, dtype=bool))


def test_the_map_of_two_stacks_is_zero_where_its_mask_forbids() -> None:
    encoder, cross = RNG.dirichlet(np.ones(4), 4), RNG.dirichlet(np.ones(4), 3)
    decoder = np.tril(RNG.random((3, 3)))
    decoder /= decoder.sum(axis=1, keepdims=True)
    whole = families.two_stacks(encoder, decoder, cross)
    assert (whole[~families.may_look(7, 4)] == 0).all()
    np.testing.assert_allclose(whole.sum(axis=1), [1] * 4 + [2] * 3)
    np.testing.assert_array_equal(whole[4:, :4], cross)


@given(first=ids, second=ids)
def test_aligned_tokens_are_equal_before_and_behind_the_difference(
    first: list[int], second: list[int]
) -> None:
    found = families.aligned(first, second)
    kept = found.pairs[: found.n_before] + found.pairs[found.n_before + found.n_changed :]
    assert all(first[i] == second[j] for i, j in kept)
    assert list(found.pairs) == sorted(found.pairs)
    assert len({i for i, _j in found.pairs}) == len({j for _i, j in found.pairs}) == len(found.pairs)
    if first == second:
        assert found.n_before == len(first)
    else:  # never past the common beginning that difflib finds too
        blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
        starts = [block.size for block in blocks if (block.a, block.b) == (0, 0)]
        assert found.n_before >= max(starts, default=0)


def test_moved_is_the_distance_by_the_length_as_torch_computes_it() -> None:
    a, b = (RNG.normal(size=(3, 5, 4)).astype(np.float32) for _ in range(2))
    pairs = [(0, 0), (2, 3)]
    x, y = torch.tensor(a)[:, [0, 2]].double(), torch.tensor(b)[:, [0, 3]].double()
    np.testing.assert_allclose(families.moved(a, b, pairs), (y - x).norm(dim=-1) / x.norm(dim=-1), rtol=1e-12)
    assert (families.moved(a, a, [(1, 1)]) == 0).all()


def test_the_head_is_where_the_gradient_of_its_loss_vanishes() -> None:
    vectors = RNG.normal(size=(30, 5))
    positive = vectors[:, 0] + 0.5 * RNG.normal(size=30) > 0
    head = families.trained_head(vectors, positive.tolist())
    w = torch.tensor(head.weights, requires_grad=True)
    b = torch.tensor(head.bias, dtype=torch.float64, requires_grad=True)
    logits = torch.tensor(vectors) @ w + b
    truth = torch.tensor(positive, dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="sum")
    (families.C * loss + 0.5 * (w @ w)).backward()
    assert w.grad is not None
    assert b.grad is not None
    assert float(w.grad.abs().max()) < 1e-3
    assert abs(float(b.grad)) < 1e-3
    np.testing.assert_allclose(head.probabilities(vectors), torch.sigmoid(logits).detach(), atol=1e-12)
    assert head.n_parameters == 6


def test_counts_are_of_tokens_that_stayed() -> None:
    change = np.array([[0.0, 0.0, 0.0], [1e-7, 0.2, 0.5]])
    table = frames.moved("encoder", change, ["a", "b", "c"], ["before", "before", "changed"])
    assert frames.counts(table) == {"encoder": frames.Stack(2, 1, 0.2)}


@given(text=st_.text(max_size=30), word=st_.sampled_from(["x", "서울", "7"]))
def test_only_the_last_word_becomes_another_one(text: str, word: str) -> None:
    old, made = with_last_word(text, word)
    place = text.rfind(old)
    assert made == text[:place] + word + text[place + len(old) :]
    assert with_last_word(made, old)[1] == text or not old
    assert other_word(text) != old


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("3 May 2026", "2025"),
        ("2026년 5월 31일", "30일"),
        ("no. 1", "2"),
        ("the mat.", "now"),
        ("2026-05-03", "2026-05-02"),
    ],
)
def test_another_last_word_is_of_the_same_kind(text: str, other: str) -> None:
    assert other_word(text) == other
