"""The logits reach the browser bit for bit; here a slow decoder in Python stands for `ranked.js`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from playground.ui.components.sampler.packing import BLOCK, pack


def unpack(packed: bytes, n: int) -> NDArray[np.float32]:
    """Read the layout that the docstring of `packing` describes."""
    n_blocks = math.ceil((n - 1) / BLOCK)
    ordered = [int(np.frombuffer(packed[:4], dtype="<i4")[0])]
    bits = iter(np.unpackbits(np.frombuffer(packed[4 + n_blocks :], dtype=np.uint8)).tolist())
    for i in range(n - 1):
        r = packed[4 + i // BLOCK]
        quotient = 0
        while next(bits) == 0:
            quotient += 1
        remainder = 0
        for _ in range(r):
            remainder = 2 * remainder + next(bits)
        ordered.append(ordered[-1] - ((quotient << r) + remainder))
    patterns = np.array(ordered, dtype=np.int64).astype(np.int32)
    return (patterns ^ ((patterns >> 31) & np.int32(0x7FFFFFFF))).view(np.float32)


@settings(max_examples=100, deadline=None)
@given(
    arrays(
        np.float32, st.integers(1, 700), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
    )
)
def test_any_sorted_floats_survive_the_round_trip(values: NDArray[np.float32]) -> None:
    descending = np.sort(values)[::-1]
    assert np.array_equal(unpack(pack(descending), len(descending)), descending)


def test_extreme_floats_survive_the_round_trip() -> None:
    limits = np.finfo(np.float32)
    values = [limits.max, 1.0, limits.smallest_subnormal, 0.0, -0.0, -limits.smallest_subnormal, limits.min]
    descending = np.array(values + [limits.min] * 300, dtype=np.float32)
    assert np.array_equal(unpack(pack(descending), len(descending)), descending)


def test_a_vocabulary_takes_at_most_90_kB() -> None:
    logits = np.random.default_rng(0).normal(scale=4, size=49_152).astype(np.float32)
    packed = pack(np.sort(logits)[::-1])
    assert len(packed) < 90_000 < logits.nbytes / 2


@pytest.mark.parametrize(
    ("values", "message"), [([1.0, 2.0], "increase"), ([1.0, np.nan], "finite"), ([1.0, -np.inf], "finite")]
)
def test_what_cannot_be_packed_is_refused(values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack(np.array(values, dtype=np.float32))
