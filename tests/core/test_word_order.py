"""Shuffling words: every token once, words whole, and what a difference of 0 means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.tokens import Tokenization
from playground.core.word_order import differences, shuffled, words
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load_tokenizer
from playground.settings import Settings
from tests import tiny

GROUPS = st.lists(st.integers(1, 4), min_size=2, max_size=12)


def groups_of(sizes: list[int]) -> list[tuple[int, ...]]:
    """Neighbouring tokens, the first at place 1 (a special token stands before them)."""
    edges = np.cumsum([1, *sizes])
    return [tuple(range(a, b)) for a, b in itertools.pairwise(edges)]


@given(GROUPS, st.integers(0, 2**32), st.booleans())
def test_a_shuffle_moves_whole_words_and_loses_no_token(sizes: list[int], seed: int, keep_last: bool) -> None:
    groups = groups_of(sizes)
    n = sum(sizes) + 2
    order = shuffled(groups, n, seed, keep_last=keep_last)
    if len(groups) - keep_last < 2:
        assert order is None
        return
    assert order is not None
    assert sorted(order) == list(range(n))
    assert order != tuple(range(n))
    assert (order[0], order[-1]) == (0, n - 1)
    for group in groups:
        start = order.index(group[0])
        assert order[start : start + len(group)] == group
    if keep_last:
        assert order[-1 - len(groups[-1]) : -1] == groups[-1]
    assert shuffled(groups, n, seed, keep_last=keep_last) == order


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT, tiny.T5])
@given(text=st.text(max_size=40))
def test_words_hold_every_token_once_in_order(model: str, text: str, tiny_settings: Settings) -> None:
    tokenizer = load_tokenizer(catalogue(tiny_settings)[model], tiny_settings)
    cut = tokenizer.tokenize(text)
    found = words(cut)
    own = [place for place, special in enumerate(cut.special) if not special]
    assert [token for group in found for token in group] == own
    assert all(found)


def test_words_are_what_spaces_separate(tiny_settings: Settings) -> None:
    for model in (tiny.LLAMA, tiny.BERT):
        tokenizer = load_tokenizer(catalogue(tiny_settings)[model], tiny_settings)
        assert len(words(tokenizer.tokenize("strange kangaroos  jump.\nslowly"))) == 4


def test_characters_cut_into_bytes_stay_whole() -> None:
    spans = ((0, 1), (0, 1), (1, 2), (1, 2))
    made = Tokenization("m", "안녕", (1,) * 4, ("",) * 4, (b"",) * 4, spans, (False,) * 4)
    assert words(made) == [(0, 1), (2, 3)]


def test_differences_compare_each_token_with_itself() -> None:
    before = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    order = (0, 3, 1, 2, 4)
    after = before[:, list(order)].copy()
    np.testing.assert_array_equal(differences(before, after, order), 0)
    after[2, 1] *= 1.5  # place 1 holds token 3
    np.testing.assert_allclose(differences(before, after, order), [0, 0, 0.5], rtol=1e-5)
    np.testing.assert_allclose(differences(before, after, order, position=1), [0, 0, 0.5], rtol=1e-5)
    np.testing.assert_array_equal(differences(before, after, order, position=2), 0)
