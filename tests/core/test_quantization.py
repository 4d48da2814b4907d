"""Quantizers: equal to PyTorch's on the same scheme, right by hand, and what they store."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from playground.core.quantization import (
    BITS,
    OUTLIER_BITS,
    SCALE_BITS,
    Scheme,
    outlier_places,
    quantize,
    relative_error,
    step_growth,
    stored_bits,
)

WEIGHTS = np.random.default_rng(0).normal(0, 0.05, (48, 96)).astype(np.float32)
SCHEMES = [(bits, is_symmetric) for bits in BITS for is_symmetric in (True, False)]


@pytest.fixture(autouse=True)
def _torch_says_that_its_quantization_moves() -> object:
    """PyTorch 2.13 still has it, and says that it moves to torchao."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def observed(observer: str, scheme: Scheme, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scales and zero points as PyTorch's observer chooses them."""
    from torch.ao import quantization

    kind = "per_channel" if "Channel" in observer else "per_tensor"
    made = getattr(quantization, observer)(
        dtype=torch.qint8 if scheme.is_symmetric else torch.quint8,
        qscheme=getattr(torch, f"{kind}_{'symmetric' if scheme.is_symmetric else 'affine'}"),
        quant_min=scheme.lowest,
        quant_max=scheme.highest,
    )
    made(torch.from_numpy(weights))
    scales, zeros = made.calculate_qparams()
    return scales.numpy(), zeros.numpy()


@pytest.mark.parametrize(("bits", "is_symmetric"), SCHEMES)
def test_a_tensor_is_quantized_as_torch_does(bits: int, is_symmetric: bool) -> None:
    scheme = Scheme(bits, "tensor", is_symmetric=is_symmetric)
    found = quantize(WEIGHTS, scheme)
    scales, zeros = observed("MinMaxObserver", scheme, WEIGHTS)
    assert (found.scales.item(), found.zeros.item()) == (scales.item(), zeros.item())
    read = torch.fake_quantize_per_tensor_affine(
        torch.from_numpy(WEIGHTS), scales.item(), int(zeros.item()), scheme.lowest, scheme.highest
    )
    np.testing.assert_array_equal(found.weights(), read.numpy())


@pytest.mark.parametrize(("bits", "is_symmetric"), SCHEMES)
def test_channels_are_quantized_as_torch_does(bits: int, is_symmetric: bool) -> None:
    scheme = Scheme(bits, "channel", is_symmetric=is_symmetric)
    found = quantize(WEIGHTS, scheme)
    scales, zeros = observed("PerChannelMinMaxObserver", scheme, WEIGHTS)
    np.testing.assert_array_equal(found.scales[:, 0, 0], scales)
    np.testing.assert_array_equal(found.zeros[:, 0, 0], zeros)
    read = torch.fake_quantize_per_channel_affine(
        torch.from_numpy(WEIGHTS), torch.from_numpy(scales), torch.from_numpy(zeros).int(), 0,
        scheme.lowest, scheme.highest,
    )  # fmt: skip
    np.testing.assert_array_equal(found.weights(), read.numpy())


@pytest.mark.parametrize("is_symmetric", [True, False])
def test_codes_of_8_bits_are_those_of_torchs_own_quantized_tensors(is_symmetric: bool) -> None:
    found = quantize(WEIGHTS, Scheme(8, "tensor", is_symmetric=is_symmetric))
    dtype = torch.qint8 if is_symmetric else torch.quint8
    made = torch.quantize_per_tensor(
        torch.from_numpy(WEIGHTS), found.scales.item(), int(found.zeros.item()), dtype
    )
    np.testing.assert_array_equal(found.codes.reshape(WEIGHTS.shape), made.int_repr().numpy())
    np.testing.assert_array_equal(found.weights(), made.dequantize().numpy())


@pytest.mark.parametrize("group", [32, 40, 64, 128])
@pytest.mark.parametrize(("bits", "is_symmetric"), SCHEMES)
def test_groups_are_small_tensors_also_where_the_last_is_short(
    bits: int, is_symmetric: bool, group: int
) -> None:
    found = quantize(WEIGHTS, Scheme(bits, "group", group, is_symmetric)).weights()
    small = Scheme(bits, "tensor", is_symmetric=is_symmetric)
    for row in (0, 7, 47):
        for first in range(0, WEIGHTS.shape[1], group):
            part = np.ascontiguousarray(WEIGHTS[row : row + 1, first : first + group])
            read = quantize(part, small).weights()
            np.testing.assert_array_equal(found[row : row + 1, first : first + group], read)


def test_by_hand_with_a_zero_point() -> None:
    """From -0.5 to 1 in 3 steps of 0.5: the codes are 0, 1, 2, 3, and 1 means 0."""
    found = quantize(np.float32([[-0.5, 0.0, 0.2, 0.3, 1.0]]), Scheme(2, "tensor", is_symmetric=False))
    assert found.scales.item() == 0.5
    assert found.zeros.item() == 1
    assert found.codes.ravel().tolist() == [0, 1, 1, 2, 3]
    assert found.weights().tolist() == [[-0.5, 0.0, 0.0, 0.5, 1.0]]
    assert found.grid().tolist() == [-0.5, 0.0, 0.5, 1.0]


def test_by_hand_symmetric() -> None:
    """Largest 7.5, so that 15 steps of 1 reach from -8 to 7: 7.5 rounds to 8, which is cut to 7."""
    found = quantize(np.array([[7.5, -7.4, 0.5, 1.5]], np.float32), Scheme(4, "channel"))
    assert found.scales.item() == 1.0
    assert found.codes.ravel().tolist() == [7, -7, 0, 2]  # halves go to the even neighbour
    assert found.grid().tolist() == list(range(-8, 8))


def test_the_step_from_8_to_4_bits_grows_17_fold() -> None:
    assert step_growth(8, 4) == 255 / 15 == 17
    for granularity in ("tensor", "channel", "group"):
        for is_symmetric in (True, False):
            eight, four = (
                quantize(WEIGHTS, Scheme(bits, granularity, 32, is_symmetric)).scales  # type: ignore[arg-type]
                for bits in (8, 4)
            )
            np.testing.assert_allclose(four / eight, 17, rtol=1e-6)


@pytest.mark.parametrize("bits", BITS)
def test_no_weight_is_farther_than_half_a_step_from_its_grid_but_at_the_cut_end(bits: int) -> None:
    found = quantize(WEIGHTS, Scheme(bits, "channel", is_symmetric=False))
    assert (np.abs(found.weights() - WEIGHTS) <= found.scales[:, 0] * 0.501 + found.scales[:, 0] / 2).all()
    inner = np.abs(WEIGHTS) < np.abs(WEIGHTS).max(1, keepdims=True) / 2
    symmetric = quantize(WEIGHTS, Scheme(bits, "channel"))
    away = np.abs(symmetric.weights() - WEIGHTS)
    assert (away <= symmetric.scales[:, 0] * 0.501)[inner].all()


def test_smaller_parts_have_smaller_errors_and_outliers_help() -> None:
    weights = WEIGHTS.copy()
    weights[3, 5] = 2.0
    errors = [
        relative_error(weights, quantize(weights, Scheme(4, *part)).weights())  # type: ignore[arg-type]
        for part in (("tensor",), ("channel",), ("group", 32))
    ]
    assert errors == sorted(errors, reverse=True)
    kept = quantize(weights, Scheme(4, "tensor", outliers=0.001))
    assert relative_error(weights, kept.weights()) < errors[0] / 2
    assert kept.weights()[3, 5] == np.float16(2.0)


def test_outliers_are_the_largest_in_float16_at_their_places() -> None:
    found = quantize(WEIGHTS, Scheme(2, "group", 32, outliers=0.005))
    n = int(np.ceil(0.005 * WEIGHTS.size))
    assert len(found.places) == n == 24
    order = np.argsort(-np.abs(WEIGHTS).ravel(), kind="stable")
    assert set(found.places) == set(order[:n])
    np.testing.assert_array_equal(
        found.weights().ravel()[found.places], WEIGHTS.ravel()[found.places].astype(np.float16)
    )
    assert outlier_places(WEIGHTS, 0).size == 0
    assert outlier_places(WEIGHTS, 1).size == WEIGHTS.size


@pytest.mark.parametrize("bits", BITS)
def test_stored_bits_are_those_of_all_that_is_kept(bits: int) -> None:
    for scheme in (
        Scheme(bits, "tensor"),
        Scheme(bits, "channel", is_symmetric=False),
        Scheme(bits, "group", 64, is_symmetric=False, outliers=0.01),
    ):
        found = quantize(WEIGHTS, scheme)
        by_count = WEIGHTS.size * bits + found.scales.size * SCALE_BITS + found.kept.size * OUTLIER_BITS
        by_count += 0 if scheme.is_symmetric else found.zeros.size * bits
        assert found.n_bits == stored_bits(WEIGHTS.shape, scheme) == by_count
    assert stored_bits((576, 576), Scheme(4, "group", 64)) / 576**2 == 4.5


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
def test_zeros_and_a_single_number_stay_what_they_are(granularity: str) -> None:
    for is_symmetric in (True, False):
        scheme = Scheme(3, granularity, 32, is_symmetric)  # type: ignore[arg-type]
        assert not quantize(np.zeros((4, 33), np.float32), scheme).weights().any()
    one = quantize(np.full((2, 2), -0.25, np.float32), Scheme(2, granularity, 32, is_symmetric=False))  # type: ignore[arg-type]
    np.testing.assert_allclose(one.weights(), -0.25, rtol=1e-6)


def test_equal_schemes_have_one_spelling() -> None:
    assert Scheme(4, "tensor", 32).spelled() == Scheme(4, "tensor", 128).spelled()
    assert Scheme(4, "group", 32).spelled() != Scheme(4, "group", 64).spelled()
