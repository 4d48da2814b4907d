"""Canonically equal texts are one text wherever texts are compared (Unicode Annex 15)."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core import contexts, tokenization
from playground.core import demonstrations as shots
from playground.core.canonical import canonical, distinct, is_same
from playground.core.few_shot import Example, PromptTask
from playground.core.files.examples import read_examples
from playground.core.files.rows import sheet
from playground.core.files.training_rows import TrainingRow, duplicates, split
from playground.core.guessing import is_right
from playground.core.tables import prompting as frames_prompting
from playground.core.tokens import Tokenization
from playground.errors import BadFile
from playground.paths import site_root


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


ROWS = (
    Example("맛있다", "긍정"), Example(nfd("춥다"), nfd("부정")), Example("따뜻하다", nfd("긍정")),
    Example("느리다", "부정"), Example("café", "긍정"), Example(nfd("café"), "부정"),
)  # fmt: skip
REFERENCE = (site_root() / "assets/samples/corpus_ko.txt").read_text("utf-8")


@given(st.text(max_size=20))
def test_every_form_of_a_text_is_the_same_text(text: str) -> None:
    assert is_same(unicodedata.normalize("NFC", text), nfd(text))
    assert canonical(nfd(text)) == canonical(text)
    assert distinct([text, nfd(text), text]) == [text]


@pytest.mark.parametrize("marks", ["\u0327\u0301", "\u0301\u0327", "\u0f73\u0f71", "\u0308\u0301\u0316"])
def test_a_million_marks_on_one_letter_are_put_in_order_at_once(marks: str) -> None:
    assert canonical("a" + 7 * marks) == unicodedata.normalize("NFC", "a" + 7 * marks)
    begin = time.process_time()
    assert len(canonical("a" + 200_000 * marks)) >= 200_000
    assert time.process_time() - begin < 5, "n² steps take minutes"


@pytest.mark.parametrize(("one", "other"), [("ﬁ", "fi"), ("ｱ", "ア"), ("a", "A"), ("e", "é")])
def test_texts_that_look_alike_only_are_two(one: str, other: str) -> None:
    assert not is_same(one, other)


def test_a_task_has_each_label_once_and_shows_texts_as_typed() -> None:
    task = PromptTask("", "", "", ROWS)
    assert task.labels == ("긍정", nfd("부정")) or task.labels == (nfd("부정"), "긍정")
    assert [task.right(one) for one in ROWS[:4]] == ["긍정", nfd("부정"), "긍정", nfd("부정")]
    opened = Example("수도", nfd("서울"), ("서울", "부산"))
    assert task.options(opened) == tuple(sorted([nfd("서울"), "부산"]))
    assert task.right(Example("mine", "")) == ""
    counts = frames_prompting.label_counts(ROWS)
    assert counts.values.tolist() == [["긍정", 3], [nfd("부정"), 3]]


@pytest.mark.parametrize("seed", range(5))
def test_no_text_is_on_both_sides_in_another_form(seed: int) -> None:
    demos, test = shots.split(ROWS, 3, seed)
    assert len(demos) + len(test) == 5, "café is there once"
    assert not {canonical(one.text) for one in demos} & {canonical(one.text) for one in test}
    drawn = shots.draw_demonstrations(demos, 2, seed)
    if len({canonical(one.label) for one in demos}) == 2:
        assert not is_same(drawn[0].label, drawn[1].label), "labels take turns"


def test_other_labels_are_others() -> None:
    labels = PromptTask("", "", "", ROWS).labels
    for one, flipped in zip(ROWS, shots.relabelled(ROWS, labels, "flipped", 0), strict=True):
        assert not is_same(one.label, flipped.label)
    many = [Example(str(i), f"é{i}" if i % 2 else nfd(f"é{i - 1}") + "1") for i in range(24)]
    for one in shots.with_others(many, 0):
        assert not any(is_same(one.label, other) for other in one.others)


def test_a_file_of_one_label_in_two_forms_has_one_label() -> None:
    rows = "".join(f"text {i},{'긍정' if i % 2 else nfd('긍정')}\n" for i in range(6))
    with pytest.raises(BadFile, match="same label"):
        read_examples("a.csv", ("text,label\n" + rows).encode())
    rows = "".join(f"{form('가다')},{label}\n" for form in (str, nfd) for label in "ab")
    with pytest.raises(BadFile, match="fewer than four"):
        read_examples("a.csv", ("text,label\n" + rows).encode())


def test_a_training_row_in_another_form_is_the_same_row() -> None:
    composed = [TrainingRow(text=f"나는 학교에 {i}번 간다") for i in range(12)]
    taken_apart = [TrainingRow(text=nfd(one.text)) for one in composed]
    said = [TrainingRow((("user", form("안녕?")), ("assistant", form("네")))) for form in (str, nfd)]
    assert duplicates([*composed, *taken_apart, *said]) == 13
    train, held_out = split([*composed, *taken_apart])
    assert not {one.key for one in train} & {one.key for one in held_out}
    assert taken_apart[0].text != composed[0].text, "it is trained on as typed"


@pytest.mark.parametrize("text", ["나는 최근 파리 여행을 다녀왔다", "학교에서 배운 것"])
def test_a_decomposed_sentence_is_measured_as_the_composed_one(text: str) -> None:
    assert tokenization.is_hangul(nfd(text))
    assert tokenization.ladder(nfd(text), REFERENCE) == tokenization.ladder(text, REFERENCE)
    assert tokenization.ladder(text, nfd(REFERENCE)) == tokenization.ladder(text, REFERENCE)
    assert tokenization.typo(nfd(text), REFERENCE) == tokenization.typo(text, REFERENCE)


@pytest.mark.parametrize("form", [str, nfd])
def test_an_answer_in_another_form_is_right(form: Callable[[str], str]) -> None:
    assert is_right(form("학교"), nfd(" 학교"))
    assert is_right(form("Café"), " café")
    assert not is_right(form("학교"), "학고")


def test_a_word_is_found_in_another_form() -> None:
    text = nfd("나는 café에 간다")
    start, stop = text.index("c"), text.index("c") + 5
    spans = ((0, start - 1), (start - 1, stop), (stop, len(text)))
    pieces = tuple(text[slice(*span)].encode() for span in spans)
    cut = Tokenization("m", text, (1, 2, 3), ("", "", ""), pieces, spans, (False,) * 3)
    assert contexts.positions_of("CAFÉ", cut) == contexts.positions_of(nfd("café"), cut) == (1,)
    assert contexts.positions_of("간", cut) == (2,)
    assert contexts.positions_of("cafe", cut) == ()


def test_a_column_with_a_million_marks_in_its_name_is_looked_at_once() -> None:
    begin = time.process_time()
    sheet("a.csv", ("a" + "\u0327\u0301" * 60_000 + ",text\n1,2\n").encode())
    assert time.process_time() - begin < 5
