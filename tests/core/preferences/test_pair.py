"""Preference pairs: held out by prompt, written as others read them, and judged."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from playground.core.files.preference_rows import read_preferences
from playground.core.preferences.judged import pair_accuracy, pair_losses
from playground.core.preferences.pair import PreferencePair, contradictions, jsonl, repeated, split

pairs = st.lists(
    st.builds(
        PreferencePair,
        st.sampled_from([f"prompt {n}" for n in range(9)]),
        st.sampled_from(["yes", "no"]),
        st.sampled_from(["perhaps", "never"]),
        st.sampled_from(["", "polite"]),
    ),
    min_size=2,
    max_size=30,
).filter(lambda many: len({one.prompt for one in many}) > 1)
numbers = st.lists(st.floats(-20, 20), min_size=1, max_size=20)


@given(pairs, st.floats(0, 1))
def test_no_prompt_is_on_both_sides_and_both_sides_have_one(
    many: list[PreferencePair], fraction: float
) -> None:
    train, held_out = split(many, fraction=fraction)
    assert train
    assert held_out
    assert {one.prompt for one in train} & {one.prompt for one in held_out} == set()
    assert sorted(map(repr, (*train, *held_out))) == sorted(map(repr, many))


@given(pairs)
def test_content_decides_what_is_held_out_not_the_place(many: list[PreferencePair]) -> None:
    topics = {one.prompt: one.topic for one in reversed(many)}
    many = [PreferencePair(one.prompt, one.chosen, one.rejected, topics[one.prompt]) for one in many]
    assert set(split(many)[1]) == set(split(many[::-1])[1])


def test_one_prompt_cannot_be_split() -> None:
    one = PreferencePair("Hi", "Hello!", "What?")
    with pytest.raises(ValueError, match="two different prompts, got 1"):
        split([one, one.turned()])


def test_what_is_written_is_read_again_and_is_json_lines() -> None:
    many = [PreferencePair("가", "나\n다", "라", "예의"), PreferencePair("Hi", "Hello!", "What?")]
    assert read_preferences("a.jsonl", jsonl(many)).pairs == tuple(many)
    assert [sorted(json.loads(line)) for line in jsonl(many).splitlines()] == [
        ["chosen", "prompt", "rejected", "topic"],
        ["chosen", "prompt", "rejected"],
    ]


def test_repetitions_and_contradictions_are_counted_in_canonical_form() -> None:
    one, typed = PreferencePair("x", "한", "b"), PreferencePair("x", "\u1112\u1161\u11ab", "b")
    assert repeated([one, typed, one.turned()]) == 1
    assert contradictions([one, typed.turned()]) == 1
    assert contradictions([one, typed]) == 0


@given(numbers, st.floats(-10, 10))
def test_a_reward_models_loss_is_cross_entropy_of_the_difference(margins: list[float], shift: float) -> None:
    rejected = np.linspace(-1, 1, len(margins)) + shift
    losses = pair_losses(rejected + margins, rejected)
    share = np.clip(1 / (1 + np.exp(-np.array(margins))), 1e-15, 1 - 1e-15)
    expected = log_loss([1] * len(margins) + [0], [*share, 0.5], labels=[0, 1]) * (len(margins) + 1)
    assert losses.sum() + np.log(2) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(losses, pair_losses(np.array(margins), np.zeros(len(margins))), atol=1e-9)


def test_accuracy_counts_equal_rewards_as_halves_and_refuses_what_is_no_number() -> None:
    found = pair_accuracy([2, 1, 0, 0], [1, 1, 0, 3])
    assert (found.n, found.n_right, found.share) == (4, 2.0, 0.5)
    assert found.low < 0.5 < found.high
    assert np.isnan(pair_accuracy([], []).share)
    with pytest.raises(ValueError, match="NaN"):
        pair_accuracy([np.nan], [0])
    with pytest.raises(ValueError, match="shape"):
        pair_accuracy([1, 2], [0])
