"""A model that counts bytes: a distribution for every context, and the counts it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.count_model import N_BYTES, CountModel

RAW = st.binary(max_size=60)


@given(RAW, RAW, st.integers(1, 6))
def test_probabilities_of_the_next_byte_sum_to_one(text: bytes, before: bytes, order: int) -> None:
    model = CountModel(text, order)
    shares = [model.probability(byte, before) for byte in range(N_BYTES)]
    assert sum(shares) == pytest.approx(1, abs=1e-9)
    assert min(shares) > 0


def test_a_textbook_example_by_hand() -> None:
    """Of abab: behind a stood b twice (t = 1); b and a stood twice each (t = 2); 1 / 256 below."""
    model = CountModel(b"abab", 2)
    alone = (2 + 2 / N_BYTES) / (4 + 2)
    assert model.probability(ord("b"), b"") == pytest.approx(alone)
    assert model.probability(ord("b"), b"a") == pytest.approx((2 + 1 * alone) / (2 + 1))
    assert model.probability(ord("z"), b"a") == pytest.approx((0 + 1 * (2 / N_BYTES / 6)) / 3)


@given(RAW, RAW, st.integers(1, 5))
def test_logprobs_are_those_of_each_byte_behind_the_ones_before(text: bytes, read: bytes, order: int) -> None:
    model = CountModel(text, order)
    expected = [np.log(model.probability(byte, read[:at])) for at, byte in enumerate(read)]
    np.testing.assert_allclose(model.logprobs(read), expected)


def test_a_context_that_never_stood_there_says_as_much_as_the_shorter_one() -> None:
    model = CountModel(b"abab", 3)
    assert model.probability(ord("a"), b"zzb") == model.probability(ord("a"), b"b")


def test_what_was_counted_is_less_surprising_than_what_was_not() -> None:
    model = CountModel(("the cat sat on the mat " * 20).encode(), 5)
    assert model.logprobs(b"the mat").sum() > model.logprobs(b"xqz jkv").sum()
