"""The laws a sampler obeys, and what it refuses."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from playground.core.ranking import NotRanked, RankedLogits, rank, rank_first
from playground.core.sampling import LIMITS, Order, Sampling, distribution, draw, draw_index
from tests.core.logits import ORDERS


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300, 5e-324])
def test_tiny_temperature_tends_to_argmax(temperature: float) -> None:
    kept = distribution(rank([-1e30, 3.0, 2.0, -np.inf, 1.0]), Sampling(temperature=temperature, top_p=0.999))
    assert kept.token_ids.tolist() == [1]
    whole = distribution(rank([-1e30, 3.0, 2.0, -np.inf, 1.0]), Sampling(temperature=temperature))
    assert whole.probs[0] == 1.0
    assert whole.entropy_bits == 0.0


def test_the_highest_temperature_is_nearly_uniform() -> None:
    hot = Sampling(temperature=LIMITS["temperature"][1])
    kept = distribution(rank([0.0, 10.0, -10.0, 5.0]), hot)
    np.testing.assert_allclose(kept.probs, 0.25, atol=0.03)
    assert kept.entropy_bits == pytest.approx(2.0, abs=0.01)


def test_one_token_vocabulary_has_one_answer() -> None:
    for temperature, top_k, top_p, min_p in itertools.product((0, 0.5, 3), (0, 1, 9), (0.01, 1), (0, 1)):
        kept = distribution(
            rank([-7.0]), Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
        )
        assert (kept.token_ids.tolist(), kept.probs.tolist(), kept.n_kept) == ([0], [1.0], 1)


def test_banned_tokens_are_never_kept_and_never_drawn() -> None:
    ranked = rank([-np.inf, 0.0, -np.inf, 1.0])
    kept = distribution(ranked, Sampling(temperature=3.0))
    assert kept.token_ids.tolist() == [3, 1]
    assert {draw(kept, u) for u in np.linspace(0, 1, 100, endpoint=False)} == {1, 3}


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([1.0, np.nan], "NaN at token 1"),
        ([-np.nan, 1.0], "NaN at token 0"),
        ([1.0, np.inf], r"\+inf at token 1"),
        ([-np.inf, -np.inf], "no token is left"),
        ([], "at least one token"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unusable_logits_are_refused_with_the_reason(logits: list[float], message: str, dtype: type) -> None:
    with pytest.raises(ValueError, match=message):
        rank(np.array(logits, dtype=dtype))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 100.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("top_p", math.nan),
        ("min_p", -0.1),
        ("min_p", 1.1),
        ("min_p", math.nan),
        ("order", "random"),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is"):
        distribution(rank([0.0, 1.0]), Sampling(**{name: value}))


def test_results_are_read_only() -> None:
    ranked = rank([1.0, 2.0])
    for array in (ranked.token_ids, ranked.logits, distribution(ranked).token_ids):
        assert not array.flags.writeable


def test_a_returned_distribution_is_not_changed_by_later_settings() -> None:
    ranked = rank(np.arange(6.0))
    first = distribution(ranked, Sampling(temperature=2.0))
    before = first.probs.copy()
    for temperature in (0.5, 1.0, 3.0):
        distribution(ranked, Sampling(temperature=temperature, top_k=2))
    assert np.array_equal(first.probs, before)


def test_rank_of_float32_and_float64_agree_on_order_and_negative_zero() -> None:
    row = np.array([0.0, -0.0, 1e-40, -1e-40, 3.5, -np.inf, -3.5], dtype=np.float32)
    single, double = rank(row), rank(row.astype(np.float64))
    assert single.token_ids.tolist() == double.token_ids.tolist() == [4, 2, 1, 0, 3, 6, 5]
    assert single.n_finite == double.n_finite == 6


def test_log_sum_exp_normalises_the_logits() -> None:
    row = np.random.default_rng(3).normal(scale=5, size=1_000)
    ranked = rank(row)
    assert ranked.log_sum_exp == pytest.approx(float(torch.logsumexp(torch.from_numpy(row), 0)))


def test_draws_follow_the_distribution() -> None:
    kept = distribution(rank(np.random.default_rng(5).normal(size=12)), Sampling(temperature=0.7, top_k=8))
    n = 40_000
    uniform = np.random.Generator(np.random.Philox(11)).random(n)
    drawn = np.array([draw(kept, float(u)) for u in uniform])
    counts = np.array([(drawn == token_id).sum() for token_id in kept.token_ids])
    chi_square = float(((counts - n * kept.probs) ** 2 / (n * kept.probs)).sum())
    assert counts.sum() == n
    assert chi_square < 24.3  # 0.1 % point of chi-square with 7 degrees of freedom


def test_draw_never_gives_a_token_of_probability_zero() -> None:
    kept = distribution(rank([0.0, -2_000.0, -3_000.0]))
    assert {draw(kept, u) for u in (0.0, 0.5, math.nextafter(1.0, 0.0))} == {0}


@pytest.mark.parametrize("u", [-0.1, 1.0, math.nan])
def test_draw_refuses_a_number_outside_zero_to_one(u: float) -> None:
    with pytest.raises(ValueError, match="u is"):
        draw(distribution(rank([1.0])), u)


def test_the_margin_of_a_draw_is_how_far_it_can_move_and_stay() -> None:
    kept = distribution(rank(np.log([0.5, 0.3, 0.15, 0.05])))
    for u in np.linspace(0.0013, 1, 200, endpoint=False):
        index, margin = draw_index(kept, float(u))
        for moved in (u - 0.999 * margin, u + 0.999 * margin):
            if 0 <= moved < 1:
                assert draw_index(kept, float(moved))[0] == index
        beyond = [
            draw_index(kept, float(v))[0] for v in (u - 1.001 * margin, u + 1.001 * margin) if 0 <= v < 1
        ]
        assert any(other != index for other in beyond)
    assert draw_index(distribution(rank([1.0])), 0.3) == (0, math.inf)


logit_rows = arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-50, 50, width=32) | st.just(-math.inf)
).filter(lambda row: bool(np.isfinite(row).any()))


@settings(max_examples=300, deadline=None)
@given(
    logit_rows,
    st.floats(0, 5),
    st.integers(0, 80),
    st.floats(*LIMITS["top_p"]),
    st.floats(0, 1),
    st.sampled_from(list(ORDERS)),
    st.floats(0, 1, exclude_max=True),
)
def test_laws_of_a_distribution(
    row: NDArray[np.float32],
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    order: Order,
    u: float,
) -> None:
    ranked = rank(row)
    cuts = {"top_k": top_k, "top_p": top_p, "min_p": min_p}
    kept = distribution(ranked, Sampling(temperature=temperature, order=order, **cuts))
    assert 1 <= kept.n_kept == len(kept.token_ids) == len(kept.probs) <= ranked.n_finite
    assert kept.probs.sum() == pytest.approx(1.0)
    assert (np.diff(kept.probs) <= 0).all()
    assert -1e-9 <= kept.entropy_bits <= math.log2(kept.n_kept) + 1e-9
    assert row[kept.token_ids[0]] == row.max()
    assert draw(kept, u) in kept.token_ids
    moved = row.astype(np.float64) + 3.0
    if not np.array_equal(moved - 3.0, row):
        return  # next to 3 the smallest logits are lost
    shifted = distribution(rank(moved), Sampling(temperature=temperature))
    assert shifted.probs == pytest.approx(
        distribution(ranked, Sampling(temperature=temperature)).probs, abs=1e-6
    )


@settings(max_examples=200, deadline=None)
@given(logit_rows, st.floats(0.05, 3), st.floats(0.05, 1), st.floats(0, 0.9))
def test_a_looser_cut_keeps_a_superset(
    row: NDArray[np.float32], temperature: float, top_p: float, min_p: float
) -> None:
    ranked: RankedLogits = rank(row)
    tight = distribution(ranked, Sampling(temperature=temperature, top_k=5, top_p=top_p, min_p=min_p))
    for looser in ({"top_k": 6}, {"top_p": min(1.0, top_p * 1.1)}, {"min_p": min_p * 0.9}):
        chosen = {"top_k": 5, "top_p": top_p, "min_p": min_p} | looser
        loose = distribution(ranked, Sampling(temperature=temperature, **chosen))
        assert set(tight.token_ids.tolist()) <= set(loose.token_ids.tolist())


# ---------------------------------------------------------------- the first ranks alone


@pytest.mark.parametrize("kind", ["smooth", "ties", "uniform", "banned", "in order"])
def test_the_first_ranks_give_what_all_ranks_give(kind: str) -> None:
    rng = np.random.default_rng(11)
    row = rng.normal(scale=3.5, size=20_000).astype(np.float32)
    if kind == "ties":
        row = np.round(row * 2) / 2
    if kind == "uniform":
        row[:] = 1.5
    if kind == "banned":
        row[rng.random(len(row)) < 0.9] = -np.inf
    if kind == "in order":
        row = np.sort(row)
    every, first = rank(row), rank_first(row)
    n_ranked = len(first)
    assert np.array_equal(first.token_ids, every.token_ids[:n_ranked])
    assert np.array_equal(first.logits, every.logits[:n_ranked])
    assert (first.n_finite, first.log_sum_exp) == (every.n_finite, pytest.approx(every.log_sum_exp))
    n_alike = 0
    for temperature, top_k, top_p, min_p, typical_p, order in itertools.product(
        (0.0, 0.4, 1.0, 2.5), (0, 1, 50, 6_000), (1.0, 0.95, 0.3), (0.0, 1e-6, 0.1), (1.0, 0.8), ORDERS
    ):
        chosen = Sampling(temperature, top_k, top_p, min_p, typical_p).in_order(order)
        expected = distribution(every, chosen)
        try:
            found = distribution(first, chosen)
        except NotRanked:
            assert n_ranked < len(row)
            if typical_p == 1 and order == "transformers":  # its last cut is min-p
                kept_before = distribution(every, replace(chosen, min_p=0.0))
                assert max(expected.n_kept, kept_before.n_kept, top_k) >= n_ranked, chosen
            continue
        n_alike += 1
        assert found.n_kept == expected.n_kept, chosen
        assert np.array_equal(found.token_ids, expected.token_ids)
        np.testing.assert_allclose(found.probs, expected.probs, rtol=1e-9)
        assert found.entropy_bits == pytest.approx(expected.entropy_bits, abs=1e-9)
    assert n_alike > 100


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_ranks_of_unusable_logits_are_refused(value: float) -> None:
    row = np.full(20_000, -math.inf if value == -math.inf else 0.0, np.float32)
    row[7] = value
    with pytest.raises(ValueError, match="logit"):
        rank_first(row)
