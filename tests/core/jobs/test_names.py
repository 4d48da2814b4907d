"""Names as BIO labels of tokens: words out of offsets, labels out of names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playground.core.jobs.items import NameSpan
from playground.core.jobs.names import bio_labels, labels_of_words, words_of_tokens


def test_labels_are_outside_and_two_of_each_kind() -> None:
    assert bio_labels(["PER", "DATE"]) == ("O", "B-PER", "I-PER", "B-DATE", "I-DATE")


def test_frames_and_bare_spaces_are_no_words() -> None:
    text = "서울 은"
    assert words_of_tokens(text, [(0, 0), (0, 2), (2, 3), (2, 4), (4, 4)]) == ((0, 2), (3, 4))


def test_tokens_of_one_character_make_one_word() -> None:
    assert words_of_tokens("a👍b", [(0, 1), (1, 2), (1, 2), (1, 2), (2, 3)]) == ((0, 1), (1, 2), (2, 3))


def test_two_names_beside_each_other_both_begin() -> None:
    names = [NameSpan(0, 2, "LOC"), NameSpan(2, 4, "LOC")]
    assert labels_of_words([(0, 1), (1, 2), (2, 4)], names) == ("B-LOC", "I-LOC", "B-LOC")


def test_a_token_over_two_names_belongs_to_the_first() -> None:
    names = [NameSpan(0, 2, "LOC"), NameSpan(2, 4, "PER")]
    assert labels_of_words([(0, 3), (3, 4)], names) == ("B-LOC", "B-PER")


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", "PER", "LOC"])), max_size=12))
def test_names_that_end_at_words_are_labelled_whole(runs: list[tuple[int, str]]) -> None:
    """Words of one character: a run of a kind is one B and then I, everything else O."""
    at, names, expected = 0, [], []
    for length, kind in runs:
        if kind:
            names.append(NameSpan(at, at + length, kind))
            expected += [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
        else:
            expected += ["O"] * length
        at += length
    assert labels_of_words([(i, i + 1) for i in range(at)], names) == tuple(expected)
