"""Objectives by their laws: rates, fates, round trips; the same seed, the same example."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.core.objectives import masking
from playground.core.objectives.masking import KEPT, MASKED, RANDOM, MaskedText, Vocabulary
from playground.core.objectives.replaced import replace_tokens
from playground.core.objectives.sentence_pairs import (
    mask_translation,
    next_sentence,
    sentence_order,
    sentences,
)
from playground.core.objectives.span_corruption import corrupt_spans, restore

N, MASK = 10_000, 3
IDS = np.random.default_rng(0).integers(100, 30_000, N)
VOCABULARY = Vocabulary(MASK, np.arange(100, 30_000))
CHI_SQUARE = 13.8  # of 2 degrees of freedom: passed once in a thousand


def words(n: int, seed: int = 1) -> list[list[int]]:
    """Words of one to four tokens between a first and a last token that belong to none."""
    rng, found, at = np.random.default_rng(seed), list[list[int]](), 1
    while at < n - 1:
        stop = min(at + int(rng.integers(1, 5)), n - 1)
        found.append(list(range(at, stop)))
        at = stop
    return found


WORDS = words(N)


def masked(name: str, seed: int) -> MaskedText:
    rng = np.random.default_rng(seed)
    if name == "tokens":
        return masking.mask_tokens(IDS, range(1, N - 1), VOCABULARY, rng)
    if name == "words":
        return masking.mask_words(IDS, WORDS, VOCABULARY, rng)
    return masking.mask_spans(IDS, WORDS, VOCABULARY, rng)[0]


@pytest.mark.parametrize("name", ["tokens", "words", "spans"])
def test_fifteen_per_cent_are_chosen_and_only_they_are_changed(name: str) -> None:
    made = masked(name, 7)
    assert N * 0.15 - 10 <= len(made.positions) <= N * 0.15 + 1
    changed = np.flatnonzero(made.input_ids != made.ids)
    assert set(changed) <= set(made.positions)
    np.testing.assert_array_equal(made.ids, IDS)
    assert 0 not in made.positions
    assert N - 1 not in made.positions


@pytest.mark.parametrize("name", ["tokens", "words"])
def test_of_the_chosen_80_10_10_are_masked_replaced_and_kept(name: str) -> None:
    counts = np.zeros(3)
    for seed in range(4):
        made = masked(name, seed)
        counts += [(made.fates == fate).sum() for fate in (MASKED, RANDOM, KEPT)]
        assert (made.input_ids[made.fates == MASKED] == MASK).all()
        assert np.isin(made.input_ids[made.fates == RANDOM], VOCABULARY.replacements).all()
        np.testing.assert_array_equal(made.input_ids[made.fates == KEPT], IDS[made.fates == KEPT])
    expected = counts.sum() * np.array([0.8, 0.1, 0.1])
    assert ((counts - expected) ** 2 / expected).sum() < CHI_SQUARE, counts


def test_a_word_is_hidden_whole_or_not_at_all() -> None:
    chosen = set(masked("words", 3).positions.tolist())
    for word in WORDS:
        assert chosen.isdisjoint(word) or chosen.issuperset(word)
    assert any(len(word) > 1 and chosen.issuperset(word) for word in WORDS)


def test_spans_have_geometric_lengths_one_fate_and_borders_that_are_seen() -> None:
    lengths = Counter[int]()
    counts = np.zeros(3)
    for seed in range(20):
        made, targets = masking.mask_spans(
            IDS, [[at] for at in range(1, N - 1)], VOCABULARY, np.random.default_rng(seed)
        )
        chosen = set(made.positions.tolist())
        assert chosen == {target.position for target in targets}
        for target in targets:
            assert target.left not in chosen
            assert target.right not in chosen
            assert target.left + target.offset == target.position < target.right
        spans = {(target.left, target.right) for target in targets}
        lengths.update(right - left - 1 for left, right in spans)
        for left, right in spans:
            (fate,) = set(made.fates[left + 1 : right].tolist())
            counts[fate - 1] += 1
    mean = sum(n * length for length, n in lengths.items()) / lengths.total()
    p, most = masking.SPAN_P, masking.LONGEST_SPAN
    law = sum(min(k, most) * p * (1 - p) ** (k - 1) for k in range(1, 200))
    # a span that meets another one is shorter: a little below the law
    assert 0.9 * law < mean < 1.02 * law
    assert max(lengths) == most
    expected = counts.sum() * np.array([0.8, 0.1, 0.1])
    assert ((counts - expected) ** 2 / expected).sum() < CHI_SQUARE, counts


def test_span_corruption_hides_15_per_cent_in_spans_of_three() -> None:
    made = corrupt_spans(IDS, np.random.default_rng(5))
    assert made.hidden.sum() == N * 0.15
    starts = np.flatnonzero(np.diff(made.hidden.astype(int), prepend=0) == 1)
    assert len(starts) == N * 0.15 / 3
    assert [token for token in made.input_ids if token < 0] == [-1 - k for k in range(len(starts))]
    assert made.target_ids[-1] == -1 - len(starts)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=80), st.integers(0, 2**32))
def test_input_and_target_of_span_corruption_restore_the_text(ids: list[int], seed: int) -> None:
    made = corrupt_spans(np.array(ids), np.random.default_rng(seed))
    assert restore(made.input_ids, made.target_ids) == tuple(ids)
    assert 0 < made.hidden.sum() < len(ids)
    assert not made.hidden[0]


def test_one_token_has_nothing_to_restore() -> None:
    with pytest.raises(ValueError, match="1 tokens"):
        corrupt_spans(np.array([5]), np.random.default_rng(0))


def test_pairs_are_true_in_half_of_all_cases_and_say_so() -> None:
    text, others = ("A a.", "B b.", "C c."), ("X x.", "Y y.")
    n, follows, ordered = 2_000, 0, 0
    for seed in range(n):
        pair = next_sentence(text, others, np.random.default_rng(seed))
        assert pair.is_true == (pair.second in text)
        follows += pair.is_true
        assert not pair.is_true or text.index(pair.second) == text.index(pair.first) + 1
        order = sentence_order(text, np.random.default_rng(seed))
        assert abs(text.index(order.first) - text.index(order.second)) == 1
        assert order.is_true == (text.index(order.first) < text.index(order.second))
        ordered += order.is_true
    assert 0.45 * n < follows < 0.55 * n
    assert 0.45 * n < ordered < 0.55 * n


def test_sentences_end_at_marks_in_both_languages() -> None:
    assert sentences("It rains! 우산을 썼어요. 왜요? \n Because.") == (
        "It rains!", "우산을 썼어요.", "왜요?", "Because.",
    )  # fmt: skip
    assert sentences("3.5 is a number") == ("3.5 is a number",)
    assert sentences("   ") == ()


def test_a_translation_begins_again_at_position_0_and_frames_are_never_hidden() -> None:
    half = N // 2
    special = [at in {0, half - 1, N - 1} for at in range(N)]
    made = mask_translation(IDS[:half], IDS[half:], special, VOCABULARY, np.random.default_rng(2))
    assert made.position_ids.tolist() == [*range(half), *range(half)]
    assert made.languages.tolist() == [0] * half + [1] * half
    assert len(made.text.positions) == round((N - 3) * 0.15)
    assert not {0, half - 1, N - 1} & set(made.text.positions.tolist())
    in_both = [int((made.languages[made.text.positions] == one).sum()) for one in (0, 1)]
    assert min(in_both) > 600


def test_a_generators_draw_is_a_replacement_unless_it_is_the_token_itself() -> None:
    positions = np.arange(0, N, 4)
    proposals = np.stack([IDS[positions], IDS[positions] + 1], axis=1)
    weights = np.full(proposals.shape, [0.2, 0.6])  # of more tokens: not yet a distribution
    made = replace_tokens(IDS, positions, list(proposals), list(weights), np.random.default_rng(0))
    assert made.replaced.sum() == (made.input_ids != IDS).sum()
    assert not made.replaced[np.setdiff1d(np.arange(N), positions)].any()
    assert 0.72 < made.replaced[positions].mean() < 0.78


@pytest.mark.parametrize("name", ["tokens", "words", "spans"])
def test_a_seed_makes_the_same_example_again_and_another_seed_another(name: str) -> None:
    def arrays(made: MaskedText) -> list[NDArray[np.int64]]:
        return [getattr(made, one.name) for one in fields(made)]

    for one, again in zip(arrays(masked(name, 1)), arrays(masked(name, 1)), strict=True):
        np.testing.assert_array_equal(one, again)
    assert (masked(name, 1).fates != masked(name, 2).fates).any()


@settings(max_examples=100, deadline=None)
@given(st.integers(3, 30), st.integers(0, 2**32))
def test_short_texts_have_one_token_to_predict_at_least(n: int, seed: int) -> None:
    rng, ids = np.random.default_rng(seed), IDS[:n]
    found = words(n, seed)
    for made in (
        masking.mask_tokens(ids, range(1, n - 1), VOCABULARY, rng),
        masking.mask_words(ids, found, VOCABULARY, rng),
        masking.mask_spans(ids, found, VOCABULARY, rng)[0],
    ):
        assert 1 <= len(made.positions) <= max(n_most(n), min(map(len, found)))


def n_most(n: int) -> int:
    return masking.n_predicted(n - 2)
