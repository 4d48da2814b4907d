"""The sets of the five jobs: size, balance, spans, splits, no item twice, no giveaway, refusals."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import pytest

from playground.core.jobs.items import (
    Item,
    NamesItem,
    QuestionItem,
    WritingItem,
    part,
    read_names,
    read_questions,
    read_writing,
)
from playground.core.labelled_sets import LabelledItem, read_labelled_set
from playground.core.scripts import script_of
from playground.paths import site_root

LANGUAGES = ("en", "ko")
JOBS = ("classification", "ner", "translation", "summarization", "qa")
N_TRAIN = {"classification": 40, "ner": 40, "translation": 8, "summarization": 8, "qa": 8}
MOST_BY_ONE_WORD = 0.65  # of the held-out items


def raw(job: str) -> str:
    return (site_root() / "assets" / "samples" / "jobs" / f"{job}.json").read_text("utf-8")


@lru_cache
def items(job: str) -> tuple[Item, ...]:
    readers = {"ner": read_names, "qa": read_questions}
    if job == "classification":
        return read_labelled_set(raw(job)).items
    return cast("tuple[Item, ...]", readers.get(job, read_writing)(raw(job)))


def texts(item: Item) -> tuple[str, ...]:
    if isinstance(item, LabelledItem):
        return item.texts
    if isinstance(item, QuestionItem):
        return item.context, item.question
    assert isinstance(item, NamesItem | WritingItem)
    return (item.text,)


def bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_job_has_forty_held_out_items_and_others_to_learn_from(job: str, language: str) -> None:
    assert len(part(items(job), "held_out", [language])) >= 40
    assert len(part(items(job), "train", [language])) >= N_TRAIN[job]


@pytest.mark.parametrize("job", JOBS)
def test_no_item_comes_twice_and_none_is_in_both_splits(job: str) -> None:
    prints = [one.fingerprint for one in items(job)]
    assert len(set(prints)) == len(prints)
    plain = ["|".join(map(bare, texts(one))) for one in items(job)]
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize("job", JOBS)
def test_every_item_is_in_the_script_of_its_language(job: str) -> None:
    for one in items(job):
        assert {script_of(text) for text in texts(one)} == {"HANGUL" if one.language == "ko" else "LATIN"}


def test_texts_of_summaries_and_questions_of_one_split_are_not_in_the_other() -> None:
    held_out = {
        texts(one)[0] for job in ("summarization", "qa") for one in items(job) if one.split == "held_out"
    }
    train = {texts(one)[0] for job in ("summarization", "qa") for one in items(job) if one.split == "train"}
    assert not held_out & train


# ---------------------------------------------------------------- classification


def labelled(split: Any, language: str) -> tuple[LabelledItem, ...]:
    return read_labelled_set(raw("classification")).part(split, [language])


@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_labels_are_equally_many_and_equally_long(split: str, language: str) -> None:
    mine = labelled(split, language)
    sides = [[one for one in mine if one.label == label] for label in ("negative", "positive")]
    assert len(sides[0]) == len(sides[1])
    lengths = [sum(len(one.texts[0]) for one in side) / len(side) for side in sides]
    assert max(lengths) < 1.15 * min(lengths)


def words(item: LabelledItem) -> set[str]:
    text = item.texts[0].casefold()
    if item.language == "ko":  # particles and endings are written onto words: pieces of two characters
        return {text[at : at + 2] for at in range(len(text) - 1)}
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_single_word_gives_the_label_away(language: str) -> None:
    """A rule "with this word, this label; without it, the other", the best of all such rules."""
    mine = labelled("held_out", language)
    found: Counter[str] = Counter()
    for one in mine:
        found.update(dict.fromkeys(words(one), 1 if one.label == "positive" else -1))
    n_positive = sum(one.label == "positive" for one in mine)
    assert max(n_positive + abs(lead) for lead in found.values()) / len(mine) <= MOST_BY_ONE_WORD


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_kinds_of_names_are_there_and_texts_without_any(language: str) -> None:
    for split in ("train", "held_out"):
        mine = [one for one in items("ner") if one.language == language and one.split == split]
        kinds = Counter(name.kind for one in mine if isinstance(one, NamesItem) for name in one.names)
        assert set(kinds) == {"PER", "ORG", "LOC", "DATE"}
        assert min(kinds.values()) >= 10
        assert sum(not one.names for one in mine if isinstance(one, NamesItem)) >= 4


def spelled(item: NamesItem) -> list[tuple[str, str]]:
    return [(item.text[one.start : one.end], one.kind) for one in item.names]


def test_apple_of_the_notes_is_a_firm_in_california() -> None:
    found = [spelled(one) for one in items("ner") if isinstance(one, NamesItem)]
    assert [("Apple", "ORG"), ("California", "LOC")] in found
    assert [("Apple", "ORG"), ("캘리포니아", "LOC")] in found


def test_a_korean_name_ends_before_its_particle() -> None:
    particles = re.compile(r"(은|는|이|가|을|를|에|에서|의|와|과|로|으로)(?=\s|$)")
    followed = 0
    for one in items("ner"):
        if one.language != "ko" or not isinstance(one, NamesItem):
            continue
        for name in one.names:
            followed += bool(particles.match(one.text, name.end))
    assert followed > 150


def test_some_words_are_a_name_in_one_text_and_none_or_another_in_the_next() -> None:
    kinds: dict[str, set[str]] = {}
    for one in items("ner"):
        assert isinstance(one, NamesItem)
        for word, kind in spelled(one):
            kinds.setdefault(word, set()).add(kind)
    assert all(kinds[word] == {"PER", "LOC"} for word in ("Washington", "세종", "한강", "Paris"))
    assert kinds["Amazon"] == {"ORG", "LOC"}


# ---------------------------------------------------------------- writing and questions


def test_translations_go_both_ways_and_their_references_are_in_the_other_language() -> None:
    for one in items("translation"):
        assert isinstance(one, WritingItem)
        assert {one.language, one.target} == {"en", "ko"}
        scripts = {script_of(answer) for answer in one.references}
        assert scripts == {"HANGUL" if one.target == "ko" else "LATIN"}


def sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?:\s|$)", text.replace("Mrs.", "Mrs").replace("Mr.", "Mr")))


def test_summaries_are_much_shorter_than_their_texts_of_three_to_six_sentences() -> None:
    for one in items("summarization"):
        assert isinstance(one, WritingItem)
        assert one.target == one.language
        assert 3 <= sentences(one.text) <= 6
        assert all(len(answer) < 0.6 * len(one.text) for answer in one.references)


def test_every_answer_stands_once_in_its_text_and_is_short() -> None:
    for one in items("qa"):
        assert isinstance(one, QuestionItem)
        assert all(one.context.count(answer) == 1 for answer in one.answers)
        assert all(len(answer) < 0.4 * len(one.context) for answer in one.answers)


# ---------------------------------------------------------------- refusals


def names(text: str, *spans: list[object]) -> str:
    item = {"language": "en", "split": "train", "text": text, "spans": spans}
    return json.dumps({"types": ["PER"], "items": [item]})


@pytest.mark.parametrize(
    "spans",
    [
        [[0, 0, "PER"]], [[0, 9, "PER"]], [[0, 4, "PER"]], [[0, 3, "X"]], [[-1, 3, "PER"]],
        [[0, 3, "PER"], [2, 5, "PER"]],
    ],
)  # fmt: skip
def test_a_span_that_is_no_name_of_its_text_is_refused(spans: Sequence[list[object]]) -> None:
    with pytest.raises(ValueError, match="no name of PER"):
        read_names(names("Ann sat", *spans))


def test_a_text_without_a_right_answer_is_refused() -> None:
    item: dict[str, object] = {"language": "en", "split": "train", "text": "A text.", "references": []}
    for references in ([], [" "]):
        with pytest.raises(ValueError, match="without a right answer"):
            read_writing(json.dumps({"items": [item | {"references": references}]}))


def test_an_answer_that_stands_twice_or_never_in_the_text_is_refused() -> None:
    item = {"language": "en", "split": "train", "context": "a cat, a dog", "question": "Who?"}
    for answers in ([], ["a"], ["cow"], ["cat", ""]):
        with pytest.raises(ValueError, match="stand once"):
            read_questions(json.dumps({"items": [item | {"answers": answers}]}))
