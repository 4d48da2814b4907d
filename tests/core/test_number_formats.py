"""Bits of numbers in small formats, against PyTorch's own conversions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from playground.core.number_formats import FLOATS, IntFormat, formats_of, outcomes, stored, value_of

DTYPES = {
    "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16,
    "float8_e4m3": torch.float8_e4m3fn, "float8_e5m2": torch.float8_e5m2,
}  # fmt: skip


def hard_values(name: str) -> np.ndarray:
    """float32 numbers of every magnitude, all numbers of the format and the middles between neighbours."""
    rng = np.random.default_rng(4)
    wide = rng.normal(size=4_000) * 10.0 ** rng.uniform(-44, 38, size=4_000)
    near = rng.normal(size=4_000) * 10.0 ** rng.uniform(-9, 6, size=4_000)
    kind = FLOATS[name]
    codes = np.arange(min(2**kind.n_bits, 65_536))
    own = kind.decode(codes)
    own = np.sort(own[np.isfinite(own)])
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.99, 65520, 448, 464, 464.01, 57344, 61440]
    with np.errstate(over="ignore"):
        found = np.concatenate([wide, near, own, (own[1:] + own[:-1]) / 2, special])
        return found.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("name", DTYPES)
def test_a_float_is_rounded_as_torch_rounds_it(name: str) -> None:
    values = hard_values(name)
    given = torch.from_numpy(values.astype(np.float32))
    expected = given.to(DTYPES[name]).to(torch.float64).numpy()
    kind = FLOATS[name]
    found = kind.decode(kind.encode(values))
    np.testing.assert_array_equal(found, expected)
    is_number = ~np.isnan(expected)
    assert (np.signbit(found) == np.signbit(expected))[is_number].all()
    assert is_number.sum() > 8_000


@pytest.mark.parametrize(("name", "dtype"), [("float16", torch.int16), ("float8_e4m3", torch.uint8)])
def test_the_bits_are_those_in_torchs_memory(name: str, dtype: torch.dtype) -> None:
    values = hard_values(name)
    values = values[np.isfinite(values)]
    memory = torch.from_numpy(values.astype(np.float32)).to(DTYPES[name]).view(dtype).numpy()
    codes = FLOATS[name].encode(values)
    mask = 2 ** FLOATS[name].n_bits - 1
    is_nan = np.isnan(FLOATS[name].decode(codes))
    np.testing.assert_array_equal((memory.astype(np.int64) & mask)[~is_nan], codes[~is_nan])


@pytest.mark.parametrize("n_bits", [8, 4])
def test_integers_are_those_of_torchs_fake_quantizer(n_bits: int) -> None:
    values = np.random.default_rng(1).normal(size=5_000).astype(np.float32)
    kind = IntFormat.over(f"int{n_bits}", n_bits, 2.5)
    half = 2 ** (n_bits - 1)
    expected = torch.fake_quantize_per_tensor_affine(torch.from_numpy(values), kind.scale, 0, -half, half - 1)
    found = kind.decode(kind.encode(values.astype(np.float64)))
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-6, atol=1e-7)
    assert "clipped" in outcomes(values, kind)


def test_what_becomes_of_a_number_is_told() -> None:
    told = {name: stored(1e-6, kind).outcome for name, kind in formats_of(0.5).items()}
    assert told == {
        "float32": "rounded", "bfloat16": "rounded", "float16": "rounded", "float8_e4m3": "vanishes",
        "float8_e5m2": "vanishes", "int8": "vanishes", "int4": "vanishes",
    }  # fmt: skip
    assert stored(1e5, FLOATS["float16"]).outcome == "overflows"
    clipped = stored(1e5, FLOATS["float8_e4m3"])
    assert (clipped.value, clipped.outcome) == (448.0, "clipped")
    assert stored(450.0, FLOATS["float8_e4m3"]).outcome == "rounded"
    assert stored(math.nan, FLOATS["float16"]).outcome == "nan"
    assert stored(0.5, FLOATS["float8_e5m2"]).outcome == "exact"
    assert stored(9.0, formats_of(1.0)["int4"]).outcome == "clipped"
    assert stored(1.0, FLOATS["float32"]).step == np.spacing(np.float32(1.0))


def test_a_step_of_int4_is_eighteen_of_int8() -> None:
    """From 254 steps between the outermost codes to 14: 127 / 7 times as wide."""
    formats = formats_of(1.0)
    assert formats["int4"].smallest / formats["int8"].smallest == pytest.approx(127 / 7, rel=1e-6)


@pytest.mark.parametrize("name", DTYPES)
def test_bits_and_values_are_each_others_way_back(name: str) -> None:
    kind = FLOATS[name]
    for number in (1.0, -0.15625, 3.0, kind.smallest, kind.largest, -kind.smallest_normal):
        found = stored(number, kind)
        assert value_of(found.bits, kind) == found.value
    assert stored(kind.largest, kind).outcome == "exact"
    assert stored(kind.smallest, kind).value == kind.smallest
