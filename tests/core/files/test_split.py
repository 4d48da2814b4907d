"""Which rows are held out: the same ones whatever the order, and none on both sides."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.training_rows import (
    TrainingRow,
    duplicates,
    pairs,
    split,
)


def texts(letters: str) -> list[TrainingRow]:
    return [TrainingRow(text=letter) for letter in letters]


# ---------------------------------------------------------------- identity and split


def test_the_key_is_the_hash_of_what_is_trained_on() -> None:
    row = TrainingRow((("user", "Hi"), ("assistant", "안녕")))
    content = b'[[["user","Hi"],["assistant","\\uc548\\ub155"]],""]'
    assert row.key == sha256(content).hexdigest()


def test_different_rows_have_different_keys() -> None:
    rows = [
        *texts("ab"),
        TrainingRow((("user", "a"), ("assistant", "b"))),
        TrainingRow((("user", "b"), ("assistant", "a"))),
        TrainingRow((("system", "a"), ("assistant", "b"))),
        TrainingRow((("assistant", "a"), ("assistant", "b"))),
        TrainingRow((("assistant", "ab"),)),
    ]
    assert len({row.key for row in rows}) == len(rows)
    assert duplicates(rows) == 0
    assert duplicates(rows * 3) == 2 * len(rows)


SETS = st.lists(st.text(st.characters()), min_size=2).filter(lambda contents: len(set(contents)) > 1)


@given(SETS, st.floats(0, 1), st.integers(1, 20), st.randoms())
def test_a_row_lies_on_one_side_whatever_the_order(
    contents: list[str], fraction: float, max_held_out: int, random: Random
) -> None:
    rows = [TrainingRow(text=content) for content in contents]
    train, held_out = split(rows, fraction=fraction, max_held_out=max_held_out)
    aside = {row.key for row in held_out}
    assert list(train) == [row for row in rows if row.key not in aside]
    assert {row.key for row in train} | aside == {row.key for row in rows}
    assert len(aside) == len(held_out)
    n = len(rows) - duplicates(rows)
    assert len(held_out) == max(1, min(round(fraction * n), max_held_out, n - 1))
    random.shuffle(rows)
    shuffled_train, same = split(rows, fraction=fraction, max_held_out=max_held_out)
    assert same == held_out
    assert sorted(row.text for row in shuffled_train) == sorted(row.text for row in train)


def test_more_held_out_rows_are_the_same_ones_and_others() -> None:
    rows = texts("abcdefghijklmnopqrstuvwxyz")
    sides = [split(rows, fraction=1.0, max_held_out=n)[1] for n in range(1, 30)]
    assert all(more[: len(few)] == few for few, more in pairwise(sides))
    assert [len(side) for side in sides] == [min(n, 25) for n in range(1, 30)]


def test_fifteen_of_a_hundred_but_at_most_twelve() -> None:
    rows = [TrainingRow(text=str(n)) for n in range(100)]
    assert [len(split(rows[:n])[1]) for n in (2, 10, 20, 40, 100)] == [1, 2, 3, 6, 12]


@pytest.mark.parametrize("letters", ["", "a", "aaa"])
def test_less_than_two_different_rows_cannot_be_split(letters: str) -> None:
    with pytest.raises(ValueError, match=f"got {len(set(letters))}"):
        split(texts(letters))


def test_a_pair_without_an_answer_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match="response"):
        pairs([{"instruction": "x"}])
