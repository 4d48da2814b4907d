"""Cells, the ladder's units and its typing error, and the tables, over any Unicode."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground.core import bpe, pieces, tokenization
from playground.core.canonical import canonical
from playground.core.tables import tokenization as frames
from playground.core.tokens import Tokenization, readable, spans_of_bytes

REFERENCE = "나는 학교에 간다. 여행을 가는 날이다. the cat sat on the mat " * 3
ANY_TEXT = st.text() | st.text(st.sampled_from("나는각é👨‍👩‍👧🏳️‍🌈 \n\tשלוםa1"), max_size=40)


def cut_at_bytes(text: str, cuts: set[int]) -> Tokenization:
    """A text cut between any of its bytes."""
    data = text.encode()
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    parts = tuple(data[a:b] for a, b in pairwise(places) if a < b)
    spans = spans_of_bytes(text, parts)
    ids = tuple(range(len(parts)))
    return Tokenization("m", text, ids, tuple(map(readable, parts)), parts, spans, (False,) * len(parts))


@given(text=ANY_TEXT, cuts=st.sets(st.integers(1, 200), max_size=60))
@settings(max_examples=300)
def test_cells_hold_every_token_and_every_character_once(text: str, cuts: set[int]) -> None:
    found = cut_at_bytes(text, cuts)
    cells = tokenization.cells(found)
    tokens = [i for cell in cells for i in range(cell.first, cell.last)]
    characters = [i for cell in cells for i in range(cell.start, cell.stop)]
    assert tokens == list(range(len(found)))
    assert characters == list(range(len(pieces.characters(text))))


@given(text=ANY_TEXT, cuts=st.lists(st.sets(st.integers(1, 200), max_size=30), min_size=1, max_size=3))
def test_lines_break_where_no_token_reaches_across(text: str, cuts: list[set[int]]) -> None:
    rows = [tokenization.cells(cut_at_bytes(text, one)) for one in cuts]
    n = len(pieces.characters(text))
    breaks = tokenization.common_cuts(rows, n)
    for at in range(n + 1):
        crossed = any(cell.start < at < cell.stop for row in rows for cell in row)
        assert (at in breaks) != crossed


@given(text=ANY_TEXT)
def test_units_joined_are_the_text_without_its_spaces(text: str) -> None:
    bare = "".join(text.split())
    assert "".join(tokenization.units(text, "word")) == bare
    assert "".join("".join(tokenization.units(text, "syllable")).split()) == bare
    decomposed = "".join(unicodedata.normalize("NFD", text).split())
    assert "".join(tokenization.units(text, "jamo")) == decomposed
    assert "".join(tokenization.units(text, "subword", REFERENCE)).encode("latin-1") == text.encode()


@given(text=ANY_TEXT)
@example("00겼\r겼")
@example("A\uf900")  # compared, and so mistyped, as U+8C48
@settings(max_examples=200)
def test_typing_error_changes_one_word_and_nothing_else(text: str) -> None:
    wrong = tokenization.typo(text)
    if wrong is None:
        return
    before, after = canonical(text).split(), wrong.text.split()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [(wrong.word, wrong.wrong)]
    assert len(wrong.wrong) == len(wrong.word)
    assert sum(a != b for a, b in zip(wrong.word, wrong.wrong, strict=True)) <= 2


@given(st.integers(0xAC00, 0xD7A3))
def test_mistyped_syllable_has_another_vowel_and_the_same_consonants(code: int) -> None:
    wrong = tokenization.typo(chr(code))
    assert wrong is not None
    right, now = (unicodedata.normalize("NFD", syllable) for syllable in (chr(code), wrong.wrong))
    assert right[0] == now[0]
    assert right[1] != now[1]
    assert right[2:] == now[2:]


@pytest.mark.parametrize("text", ["", "a", "aaa", "1 2 3", "!?", "😀"])
def test_no_typing_error_where_nothing_can_be_mistyped(text: str) -> None:
    assert tokenization.typo(text) is None
    assert all(rung.n_lost == 0 for rung in tokenization.ladder(text, REFERENCE))


def test_only_what_was_known_is_lost() -> None:
    known, unknown = "나는", "모르는말"
    assert known in REFERENCE.split()
    both = tokenization.typo(f"{unknown} {known}", REFERENCE)
    assert both is not None
    assert both.word == known, "a known word, though the other one is longer"
    for text, lost in ((f"{unknown} {known}", 1), (unknown, 0)):
        rungs = {rung.granularity: rung for rung in tokenization.ladder(text, REFERENCE)}
        assert rungs["word"].n_lost == lost
        assert rungs["jamo"].n_lost == 1


def test_ladder_of_a_known_sentence() -> None:
    rungs = {rung.granularity: rung for rung in tokenization.ladder("나는 여행을 꿈꾼다", REFERENCE)}
    assert rungs["word"].n_units == 3
    assert rungs["word"].n_unknown == 1, "꿈꾼다"
    assert rungs["word"].n_lost == 1
    assert rungs["syllable"].n_units == 8
    assert rungs["syllable"].n_unknown == 2, "꿈 and 꾼: 다 is in the reference text"
    assert rungs["jamo"].n_units == 21, "5 + 8 + 8"
    assert rungs["jamo"].n_lost == 1
    assert rungs["subword"].n_unknown == 0
    assert rungs["subword"].n_units == len(bpe.train(REFERENCE, 1_000).encode("나는 여행을 꿈꾼다"))


@given(text=st.text(min_size=1, max_size=60))
def test_shares_lie_between_0_and_1_and_small_units_are_more(text: str) -> None:
    rungs = tokenization.ladder(text, REFERENCE)
    table = frames.ladder(rungs).set_index("granularity")
    assert table[["oov_rate", "lost", "oov_rate_after"]].stack().between(0, 1).all()
    assert table.loc["jamo", "n_units"] >= table.loc["syllable", "n_units"] >= table.loc["word", "n_units"]
    for rung in rungs:
        found = Counter(tokenization.units(text, rung.granularity, REFERENCE))
        assert rung.n_units == found.total()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("나는 GPT를 쓴다", True), ("안녕 hello world", False), ("1234", False), ("", False), ("日本語", False)],
)
def test_language_of_the_reference_text(text: str, expected: bool) -> None:
    assert tokenization.is_hangul(text) is expected


def test_bill_is_relative_to_english() -> None:
    texts = {"en": "good", "ko": "좋아"}
    bill = frames.language_bill({"t": {"en": 2, "ko": 6}}, texts)
    assert bill["ratio_to_english"].tolist() == [1.0, 3.0]
    assert bill["tokens_per_character"].tolist() == [0.5, 3.0]


@given(text=ANY_TEXT)
def test_tables_of_a_training_agree_with_it(text: str) -> None:
    trained = bpe.train(text, 30)
    merges, curve = frames.merges(trained), frames.vocabulary_curve(trained)
    assert merges["count"].tolist() == [step.count for step in trained.steps]
    assert curve["n_merges"].tolist() == list(range(len(trained.steps) + 1))
    for n, per_word in zip(curve["n_merges"], curve["tokens_per_word"], strict=True):
        assert per_word * max(trained.n_words, 1) == pytest.approx(len(trained.first(n).encode(text)))


@given(text=ANY_TEXT, cuts=st.sets(st.integers(1, 100), max_size=20))
def test_side_by_side_table_holds_the_bytes(text: str, cuts: set[int]) -> None:
    found = cut_at_bytes(text, cuts)
    table = frames.side_by_side([found, found])
    assert len(table) == 2 * len(found)
    assert bytes.fromhex("".join(table["bytes"][: len(found)])) == text.encode()
