"""Texts cut for training from zero, the lines to beat, and heads on few labels."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from playground.core.count_model import CountModel
from playground.core.pretraining import (
    MAX_HELD_OUT,
    bits,
    count_bits,
    halves,
    normal,
    parts,
    windows_to_hide,
    windows_to_learn,
    windows_to_measure,
)
from playground.core.transfer import curve, draws

TEXT = "The cat sat on the mat and the dog sat on the cat.\n" * 30


def test_the_last_tenth_is_held_out_and_no_character_is_cut() -> None:
    for text in (TEXT, "가나다라 " * 300, "🙂" * 400, "a" * 11):
        cut = parts(text)
        assert cut.train + cut.held_out == text.encode()
        assert len(cut.held_out) == pytest.approx(len(text.encode()) / 10, abs=4)
        assert (cut.train.decode() + cut.held_out.decode()) == text
    long = parts("ab" * 100_000)
    assert len(long.held_out) == MAX_HELD_OUT
    assert len(long.train) == 180_000


def test_a_text_is_composed() -> None:
    assert normal("한") == "한"
    assert parts("한" * 40).train.decode() == "한" * 36


@pytest.mark.parametrize("size", [8, 32, 50])
def test_every_held_out_byte_counts_once_behind_what_stands_before_it(size: int) -> None:
    cut = parts(TEXT)
    windows = windows_to_measure(cut.train[-size:], cut.held_out, size)
    assert b"".join(one.data[one.n_context :] for one in windows) == cut.held_out
    assert {len(one.data) for one in windows} == {size}
    assert all(one.n_context >= size // 4 for one in windows)
    assert all(one.data in cut.train + cut.held_out for one in windows)


def test_windows_to_learn_leave_no_byte_out() -> None:
    data = bytes(range(101))
    windows = windows_to_learn(data, 16, 3, 2)
    assert set(b"".join(one.data for one in windows)) == set(data)
    assert {one.draw for one in windows} == {0, 1, 2}
    assert all(one.n_trained == 2 and len(one.data) == 16 for one in windows)
    hidden = windows_to_hide(b"", data, 16, 2)
    assert set(b"".join(one.data for one in hidden)) == set(data)
    assert windows_to_hide(b"abc", b"", 16, 2) == windows_to_measure(b"abc", b"", 16) == ()


def test_halves_are_cut_behind_a_line() -> None:
    before, after = halves(TEXT)
    assert before + after == TEXT
    assert before.endswith("\n")
    assert len(before) == pytest.approx(len(TEXT) / 2, abs=60)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_count_models_are_distributions_and_give_the_bits_of_each_byte(order: int) -> None:
    cut = parts(TEXT)
    model = CountModel(cut.train, order)
    for before in (b"", b"t", b"th", b"zz", b"the"):
        assert sum(model.probability(byte, before) for byte in range(256)) == pytest.approx(1, abs=1e-9)
    whole = cut.train + cut.held_out
    each = [-math.log2(model.probability(whole[at], whole[:at])) for at in range(len(cut.train), len(whole))]
    assert count_bits(cut.train, cut.held_out)[order] == pytest.approx(np.mean(each), abs=1e-9)


def test_a_unigram_by_hand() -> None:
    """Witten-Bell: (c + t/256) / (n + t) with n = 4 bytes of t = 2 kinds."""
    shares = {"a": (3 + 2 / 256) / 6, "b": (1 + 2 / 256) / 6, "z": (2 / 256) / 6}
    for letter, share in shares.items():
        assert bits(-math.log(share)) == pytest.approx(count_bits(b"aaab", letter.encode())[1], abs=1e-9)


def test_more_before_helps_on_a_text_that_repeats_itself() -> None:
    cut = parts(TEXT)
    told = count_bits(cut.train, cut.held_out)
    assert told[3] < told[2] < told[1] < 8
    assert count_bits(b"abc", b"") == {}


def test_draws_have_every_label_and_are_the_same_for_all() -> None:
    labels = ["yes"] * 20 + ["no"] * 4
    found = draws(labels, 3, 5, seed=1)
    assert len(found) == 5
    for places in found:
        assert len(set(places.tolist())) == 3
        assert set(Counter(labels[place] for place in places)) == {"yes", "no"}
    assert all(np.array_equal(*pair) for pair in zip(found, draws(labels, 3, 5, seed=1), strict=True))


def test_a_curve_is_that_of_the_librarys_regression_and_rises_where_labels_tell() -> None:
    random = np.random.default_rng(0)
    labels = ["a", "b"] * 30
    signs = np.array([1.0 if one == "a" else -1.0 for one in labels])[:, None]
    vectors = (random.normal(size=(60, 6)) + 0.7 * signs).astype(np.float32)
    points = curve(vectors[:40], labels[:40], vectors[40:], labels[40:], (2, 40), n_repeats=4, seed=2)
    assert [one.n_labels for one in points] == [2, 40]
    assert points[1].mean > points[0].mean
    assert points[0].spread > points[1].spread == pytest.approx(0)
    scaled = (vectors - vectors[:40].mean(0)) / vectors[:40].std(0)
    head = LogisticRegression(max_iter=1_000).fit(scaled[:40], labels[:40])
    assert points[1].mean == pytest.approx(head.score(scaled[40:], labels[40:]))
