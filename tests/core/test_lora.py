"""The arithmetic of LoRA against peft and full matrices, and the laws it keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, inject_adapter_in_model

from playground.core.lora import (
    LowRank,
    cosine,
    delta_weight,
    effective_rank,
    n_trainable,
    relative_norm,
    singular_values,
    smoothed,
)

SIDES = st.integers(1, 12)
RANKS = st.integers(1, 16)
SEEDS = st.integers(0, 2**32 - 1)


def change(
    seed: int, d_out: int, d_in: int, r: int, *, layer: int = 0, module: str = "q_proj", scaling: float = 2.0
) -> LowRank:
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(r, d_in)), rng.normal(size=(d_out, r))
    return LowRank(layer, module, A, B, scaling, weight_norm=10.0)


def full(one: LowRank) -> np.ndarray:
    return one.scaling * one.B @ one.A


def zero(one: LowRank) -> LowRank:
    return LowRank(one.layer, one.module, one.A, np.zeros_like(one.B), one.scaling, one.weight_norm)


def scaled(one: LowRank, factor: float) -> LowRank:
    return LowRank(one.layer, one.module, one.A, one.B, factor * one.scaling, one.weight_norm)


# ---------------------------------------------------------------- oracles


@pytest.mark.parametrize(("d_out", "d_in", "r", "lora_alpha"), [(6, 5, 2, 16), (3, 8, 4, 1), (4, 4, 1, 7)])
def test_delta_weight_is_the_library_s(d_out: int, d_in: int, r: int, lora_alpha: int) -> None:
    generator = torch.Generator().manual_seed(0)
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=["0"])
    layer = inject_adapter_in_model(config, torch.nn.Sequential(torch.nn.Linear(d_in, d_out)))[0]
    A, B = layer.lora_A["default"].weight.data, layer.lora_B["default"].weight.data
    B.copy_(torch.randn(B.shape, generator=generator))
    ours = delta_weight(A.numpy(), B.numpy(), lora_alpha)
    np.testing.assert_allclose(ours, layer.get_delta_weight("default").numpy(force=True), atol=1e-5)
    one = LowRank(0, "0", A.numpy(), B.numpy(), layer.scaling["default"], 1.0)
    np.testing.assert_allclose(full(one), ours, atol=1e-5)
    assert n_trainable([(d_out, d_in)], r) == sum(p.numel() for p in layer.parameters() if p.requires_grad)


@given(SEEDS, SIDES, SIDES, RANKS, st.floats(-4, 4))
def test_norm_and_singular_values_are_those_of_the_formed_product(
    seed: int, d_out: int, d_in: int, r: int, scaling: float
) -> None:
    one = change(seed, d_out, d_in, r, scaling=scaling)
    theirs = np.linalg.svd(full(one), compute_uv=False)
    ours = singular_values(one)
    assert ours.shape == (r,)
    np.testing.assert_allclose(ours[: len(theirs)], theirs[:r], atol=1e-9)
    assert not ours[len(theirs) :].any()
    assert (np.diff(ours) <= 0).all()
    assert one.norm == pytest.approx(np.linalg.norm(full(one)), abs=1e-9)
    assert relative_norm(one) == pytest.approx(np.linalg.norm(full(one)) / 10, abs=1e-9)


@given(SEEDS, SEEDS, SIDES, SIDES, RANKS, RANKS)
def test_cosine_is_that_of_the_formed_vectors(
    seed: int, other: int, d_out: int, d_in: int, r: int, s: int
) -> None:
    first = [change(seed, d_out, d_in, r), change(seed + 1, d_in, d_out, r, module="o_proj")]
    second = [change(other + 2, d_in, d_out, s, module="o_proj"), change(other + 3, d_out, d_in, s)]
    one = np.concatenate([full(each).ravel() for each in first])
    two = np.concatenate([full(each).ravel() for each in reversed(second)])
    theirs = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert cosine(first, second) == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.floats(0, 0.99))
def test_smoothed_is_the_weighted_mean_of_all_so_far(losses: list[float], weight: float) -> None:
    for place, value in enumerate(smoothed(losses, weight)):
        weights = weight ** np.arange(place, -1, -1)
        assert value == pytest.approx(np.average(losses[: place + 1], weights=weights))


# ---------------------------------------------------------------- laws


@given(SEEDS, SIDES, SIDES, RANKS)
def test_the_squared_norm_is_the_sum_of_the_squared_singular_values(
    seed: int, d_out: int, d_in: int, r: int
) -> None:
    one = change(seed, d_out, d_in, r)
    assert one.norm**2 == pytest.approx((singular_values(one) ** 2).sum())


@given(SEEDS, SIDES, SIDES, RANKS, st.floats(0.1, 5))
def test_the_direction_does_not_depend_on_the_strength(
    seed: int, d_out: int, d_in: int, r: int, factor: float
) -> None:
    one = [change(seed, d_out, d_in, r)]
    assert cosine(one, [scaled(one[0], factor)]) == pytest.approx(1)
    assert cosine(one, [scaled(one[0], -factor)]) == pytest.approx(-1)


def test_adapters_without_a_common_module_are_at_right_angles() -> None:
    assert cosine([change(0, 3, 4, 2)], [change(0, 3, 4, 2, layer=1)]) == 0
    both = [change(0, 3, 4, 2), change(0, 3, 4, 2, layer=1)]
    assert cosine([change(0, 3, 4, 2)], both) == pytest.approx(1 / math.sqrt(2))


def test_an_adapter_that_changes_nothing_has_no_direction() -> None:
    start = zero(change(0, 3, 4, 2))
    assert math.isnan(cosine([start], [change(0, 3, 4, 2)]))
    assert math.isnan(cosine([], [change(0, 3, 4, 2)]))
    assert (start.norm, effective_rank(singular_values(start))) == (0, 0)


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=32), st.sampled_from([1e-5, 1.0, 1e5]))
def test_effective_rank_lies_between_one_and_the_rank(values: list[float], factor: float) -> None:
    found = effective_rank(values)
    assert 1 - 1e-9 <= found <= len(values) + 1e-9
    scaled_values = [value / max(values) for value in values]
    assert effective_rank([factor * value for value in scaled_values]) == pytest.approx(found, rel=1e-6)


def test_effective_rank_of_two_directions_can_be_checked_by_hand() -> None:
    """Shares 3/4 and 1/4: exp of the entropy is 4 / 3 ** (3/4)."""
    assert effective_rank([3, 1, 0]) == pytest.approx(4 / 3**0.75)


# ---------------------------------------------------------------- runs that diverged, and what does not fit


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_a_run_that_diverged_gives_numbers_that_say_so(value: float) -> None:
    one = change(0, 3, 4, 2)
    broken = LowRank(0, "q_proj", one.A, np.full_like(one.B, value), 1.0, 10.0)
    assert not math.isfinite(broken.norm)
    assert not math.isfinite(relative_norm(broken))
    assert math.isnan(cosine([broken], [one]))
    if value != 1e200:
        assert np.isnan(singular_values(broken)).all()
        assert math.isnan(effective_rank(singular_values(broken)))


def test_smoothed_leaves_what_is_not_finite_where_it_was() -> None:
    found = smoothed([4.0, math.nan, 1.0, math.inf], weight=0.5)
    assert found.tolist()[::2] == [4.0, 2.0]
    assert math.isnan(found[1])
    assert found[3] == math.inf
    assert smoothed([]).tolist() == []
    assert smoothed([3.0, 1.0], weight=0).tolist() == [3.0, 1.0]


def test_a_weight_of_zeros_has_no_relative_change() -> None:
    one = change(0, 3, 4, 2)
    assert math.isnan(relative_norm(LowRank(0, "q_proj", one.A, one.B, 1.0, weight_norm=0.0)))


@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), (4, 3)), ((0, 3), (4, 0)), ((3,), (4, 3)), ((2, 3), (4, 2, 1))]
)
def test_factors_must_fit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        delta_weight(np.ones(a), np.ones(b), 1)
    with pytest.raises(ValueError, match="do not fit"):
        LowRank(0, "q_proj", np.ones(a), np.ones(b), 1.0, 1.0)


def test_adapters_of_different_models_are_not_mixed() -> None:
    one, other = [change(0, 3, 4, 2)], [change(0, 3, 5, 2)]
    with pytest.raises(ValueError, match="q_proj"):
        cosine(one, other)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        effective_rank([1, -1])
    with pytest.raises(ValueError, match="r must"):
        n_trainable([(2, 2)], 0)
    with pytest.raises(ValueError, match="weight must"):
        smoothed([1.0], weight=1.0)
