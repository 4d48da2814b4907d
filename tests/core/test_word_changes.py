"""Two texts word by word: nothing is lost, and what both have is common to both."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from playground.core.word_changes import MOST_WORDS, compared

TEXTS = st.lists(st.sampled_from(["a", "b", "고양이", "cat,", "\n", " "]), max_size=30).map(" ".join)


@given(TEXTS, TEXTS)
def test_the_parts_are_both_texts(first: str, second: str) -> None:
    found = compared(first, second)
    for text, own in ((first, "first"), (second, "second")):
        words = [word for part in found.parts if part.kind in ("both", own) for word in part.text.split()]
        assert words == text.split()
    assert (found.n_both + found.n_first, found.n_both + found.n_second) == (
        len(first.split()), len(second.split()),
    )  # fmt: skip
    assert 0 <= found.same_share <= 1
    assert (found.same_share == 1) == (first.split() == second.split())


def test_first_text_keeps_its_spaces() -> None:
    found = compared("one  two\nthree", "one two four")
    assert "".join(part.text for part in found.parts if part.kind != "second") == "one  two\nthree"


def test_huge_texts_are_bounded_and_the_rest_is_counted() -> None:
    found = compared("x " * 50_000, "y " * 10)
    assert found.n_left_out == 50_000 - MOST_WORDS
    begun = time.process_time()
    compared("a b " * 10_000, "b a " * 10_000)
    assert time.process_time() - begun < 60  # bounded, no measurement of speed
