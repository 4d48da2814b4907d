"""Perplexity: a loop by hand, windows that score every token once, bytes that no tokenizer changes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.metrics.perplexity import (
    bits_per_byte,
    bits_per_token,
    perplexity,
    running_perplexity,
    windows,
)

logprobs = st.lists(st.floats(-12, 0), min_size=1, max_size=30)


@given(logprobs)
def test_perplexity_is_that_of_a_loop(values: list[float]) -> None:
    product = 1.0
    for at, value in enumerate(values, 1):
        product *= math.exp(value) ** (1 / len(values))
        loop = math.exp(-sum(values[:at]) / at)
        assert running_perplexity(values)[at - 1] == pytest.approx(loop)
    assert perplexity(values) == pytest.approx(1 / product)
    assert 2 ** bits_per_token(values) == pytest.approx(perplexity(values))


@given(logprobs, st.integers(1, 200), st.data())
def test_bits_per_byte_do_not_depend_on_the_pieces(
    values: list[float], n_bytes: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(values)), max_size=5)) | {0, len(values)})
    joined = [sum(values[start:stop]) for start, stop in pairwise(cuts)]
    assert bits_per_byte(joined, n_bytes) == pytest.approx(bits_per_byte(values, n_bytes))


def test_a_model_that_guesses_bytes_needs_eight_bits_each_and_its_perplexity_is_of_its_pieces() -> None:
    one_by_one, in_pairs = np.full(8, np.log(1 / 256)), np.full(4, np.log(1 / 256**2))
    assert bits_per_byte(one_by_one, 8) == bits_per_byte(in_pairs, 8) == pytest.approx(8)
    assert perplexity(one_by_one) == pytest.approx(256)
    assert perplexity(in_pairs) == pytest.approx(65536)


@given(st.integers(0, 60), st.integers(4, 20), st.data())
def test_windows_score_every_token_once_with_context(n: int, length: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, length))
    n_given = data.draw(st.integers(1, 3))
    found = windows(n, length, stride, n_given=n_given)
    scored = [at for each in found for at in range(each.first, each.stop)]
    assert scored == list(range(n_given, n))
    for each in found:
        assert each.start < each.first < each.stop <= n
        assert each.stop - each.start <= length
        assert each.n_scored == each.stop - each.first
    for each in found[1:]:
        full = min(each.stop, length)
        assert each.stop - each.start == full or each.stop == n
        assert each.first - each.start >= min(length - stride, each.first) or stride == length


def test_windows_are_those_of_the_librarys_guide() -> None:
    n, length, stride = 100, 32, 16
    before, expected = 0, []
    for start in range(0, n, stride):  # "Perplexity of fixed-length models", transformers
        stop = min(start + length, n)
        expected.append((start, stop, max(before, 1)))
        before = stop
        if stop == n:
            break
    assert [(each.start, each.stop, each.first) for each in windows(n, length, stride)] == expected


@pytest.mark.parametrize(
    ("length", "stride", "n_given"), [(1, 1, 1), (4, 0, 1), (4, 5, 1), (4, 2, 0), (4, 2, 4)]
)
def test_windows_that_cannot_be_are_refused(length: int, stride: int, n_given: int) -> None:
    with pytest.raises(ValueError, match="no windows"):
        windows(10, length, stride, n_given=n_given)


def test_no_tokens_have_no_perplexity_and_an_impossible_one_an_infinite() -> None:
    assert math.isnan(perplexity([]))
    assert math.isnan(bits_per_byte([], 0))
    assert perplexity([-1.0, -math.inf]) == math.inf
    assert len(running_perplexity([])) == 0
