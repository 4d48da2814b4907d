"""Figures of the jobs equal their libraries; baselines, prompts and sentences do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_bleu
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score

from playground.core.jobs.items import NamesItem, NameSpan, QuestionItem, WritingItem, read_questions
from playground.core.jobs.names import confused, known_names, labels_of_words, names_of_labels
from playground.core.jobs.prompts import prompt, source
from playground.core.jobs.questions import holds_answer, nearest, sentence_spans
from playground.core.jobs.scoring import (
    Figure,
    answer_figures,
    label_figures,
    name_figures,
    share_figure,
    summary_figures,
    translation_figures,
)
from playground.paths import site_root

TEXTS = st.lists(st.text(st.sampled_from("ab 가나👍."), max_size=12), min_size=1, max_size=5)
BIO = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]), min_size=1, max_size=6)


def inside(figures: tuple[Figure, ...]) -> bool:
    return all(0 <= one.low <= one.high <= 100 and 0 <= one.value <= 100 for one in figures)


@settings(max_examples=6, deadline=None)
@given(TEXTS, st.sampled_from(["en", "ko"]))
def test_bleu_is_sacrebleus_and_every_figure_lies_within_its_axis(texts: list[str], target: str) -> None:
    references = [("가나 a",)] * len(texts)
    found = translation_figures(texts, references, target)
    cut = "char" if target == "ko" else "13a"
    assert found[0].value == pytest.approx(
        corpus_bleu(texts, [["가나 a"] * len(texts)], tokenize=cut, force=True).score
    )
    assert found[0].metric == f"BLEU ({cut})"
    assert inside(found)
    assert inside(summary_figures(texts, references, target))
    assert inside(answer_figures(texts, references, target))


@settings(max_examples=8, deadline=None)
@given(st.lists(BIO, min_size=1, max_size=4))
def test_f1_over_names_is_seqevals(right: list[list[str]]) -> None:
    told = [["O" if label == "B-LOC" else label for label in one] for one in right]
    found = {one.metric: one for one in name_figures(right, told)}
    if any(label != "O" for one in right for label in one):
        assert found["F1"].value == pytest.approx(100 * f1_score(right, told, zero_division=0))
    assert inside(tuple(found.values()))


def test_accuracy_is_scikit_learns_and_its_interval_is_wilsons() -> None:
    right, told = ["a", "b", "a", "b"], ["a", "a", "a", "b"]
    accuracy = label_figures(right, told, ["a", "b"])[0]
    assert accuracy.value == pytest.approx(100 * accuracy_score(right, told))
    assert (accuracy.low, accuracy.high) == pytest.approx((30.06, 95.44), abs=0.01)
    assert accuracy.includes(50)
    assert not share_figure("sentence", [True] * 40).includes(50)


def test_an_empty_answer_and_one_label_only_are_scored() -> None:
    assert translation_figures([""], [("가",)], "ko")[0].value == 0
    assert answer_figures([""], [("가",)], "ko")[1].value == 0
    assert label_figures(["a", "a"], ["a", "a"], ["a", "b"])[0].value == 100


def test_korean_answers_are_counted_by_characters_so_that_a_particle_costs_little() -> None:
    korean, english = (answer_figures(["서울에"], [("서울",)], language)[1] for language in ("ko", "en"))
    assert (round(korean.value), english.value) == (80, 0)


def test_names_known_from_training_are_marked_whole_and_unsure_ones_are_not() -> None:
    train = [
        NamesItem("en", "train", "Han River, Han", (NameSpan(0, 9, "LOC"), NameSpan(11, 14, "PER"))),
        NamesItem("en", "train", "Paris", (NameSpan(0, 5, "LOC"),)),
        NamesItem("en", "train", "Paris", (NameSpan(0, 5, "PER"),)),
    ]
    assert known_names(train, "Han saw the Han River in Paris") == (
        NameSpan(0, 3, "PER"),
        NameSpan(12, 21, "LOC"),
    )
    assert known_names([], "Han") == ()


def test_every_name_of_both_sides_is_in_a_cell_once() -> None:
    right = [NameSpan(0, 2, "PER"), NameSpan(3, 5, "LOC")]
    told = [NameSpan(0, 2, "ORG"), NameSpan(3, 6, "LOC")]
    assert sorted(confused(right, told)) == [("LOC", "O"), ("O", "LOC"), ("PER", "ORG")]


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "PER", "LOC"])), max_size=8))
def test_names_come_back_from_their_labels(runs: list[tuple[int, str]]) -> None:
    at, names = 0, []
    for length, kind in runs:
        if kind:
            names.append(NameSpan(at, at + length, kind))
        at += length
    words = [(place, place + 1) for place in range(at)]
    assert list(names_of_labels(words, labels_of_words(words, names))) == names


def test_a_prompt_ends_where_the_answer_begins_and_t5_is_told_the_job() -> None:
    item = QuestionItem("ko", "held_out", "비가 온다.", "무엇이 오나요?", ("비",))
    shot = QuestionItem("ko", "train", "눈이 온다.", "무엇이 오나요?", ("눈",))
    assert prompt(item, [shot]) == (
        "글: 눈이 온다.\n질문: 무엇이 오나요?\n답: 눈\n\n글: 비가 온다.\n질문: 무엇이 오나요?\n답:"
    )
    english = WritingItem("en", "held_out", "It rains.", "ko", ("비가 온다.",))
    assert source(english, "t5") == "translate English to Korean: It rains."
    assert source(english, "marian") == "It rains."


def test_sentences_are_where_they_are_said_to_be_and_one_holds_the_answer() -> None:
    items = read_questions((site_root() / "assets/samples/jobs/qa.json").read_text("utf-8"))
    for item in items:
        spans = sentence_spans(item.context)
        assert " ".join(item.context[a:b] for a, b in spans) == item.context
        assert sum(holds_answer(item, span) for span in spans) >= 1
    assert sentence_spans("Yes. Yes. No.") == ((0, 4), (5, 9), (10, 13))


def test_the_nearest_passage_has_the_largest_cosine() -> None:
    passages = np.eye(3)[[1, 0, 2]]
    assert nearest([0.6, 0.8, 0.0], passages) == (0, [0.8, 0.6, 0.0])
