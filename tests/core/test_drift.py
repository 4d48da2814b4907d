"""Drift: bits per byte by hand, and the mean over all bytes."""

from __future__ import annotations

import math

import pytest

from playground.core.drift import mean_shifts, shifts


def test_bits_per_byte_count_the_bytes_of_the_text() -> None:
    texts = {"a": ["한", "xy"], "b": ["zz", ""]}
    by_a = {(0, "a"): -3 * math.log(2), (1, "a"): -2 * math.log(2), (0, "b"): -8 * math.log(2)}
    by_b = {(0, "a"): -6 * math.log(2), (1, "a"): -6 * math.log(2), (0, "b"): -2 * math.log(2)}
    rows = shifts(["p", "q"], texts, by_a, by_b)
    assert [(row.prompt, row.written_by, row.n_bytes) for row in rows] == [
        ("p", "a", 3), ("q", "a", 2), ("p", "b", 2),
    ]  # fmt: skip
    assert [(row.bits_a, row.bits_b) for row in rows] == [
        pytest.approx((1, 2)), pytest.approx((1, 3)), pytest.approx((4, 1)),
    ]  # fmt: skip
    found = mean_shifts(rows)
    assert found == {"a": pytest.approx((3 + 4) / 5), "b": pytest.approx(3)}
