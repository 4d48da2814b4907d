"""The nine sets in the shape of GLUE's tasks: balanced, split, without twins, and without giveaways."""

from __future__ import annotations

import re
from collections import Counter
from statistics import mean

import pytest

from playground.core.bag_of_words import bag_of_words
from playground.core.labelled_sets import LabelledItem, LabelledSet, read_labelled_set
from playground.core.metrics.correlation import spearman
from playground.core.metrics.intervals import wilson_interval
from playground.core.scripts import script_of
from playground.paths import site_root

TASKS = ("cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli")
LANGUAGES = ("en", "ko")
METRICS = {"cola": "matthews", "mrpc": "f1", "qqp": "f1", "stsb": "spearman"}
NEGATIONS = {
    "en": re.compile(r"\b(?:not|no|never|nobody|nothing|none|neither|nor|without|cannot|hardly)\b|n't\b"),
    "ko": re.compile(r"않|없|못|안 |아니"),
}
MOST_LONGER = 1.15  # mean length of a label's texts by that of another's
MOST_NEGATIONS = 0.2  # difference of two labels in the share of texts with a negation


def read(task: str) -> LabelledSet:
    path = site_root() / "assets" / "samples" / "glue" / f"{task}.json"
    return read_labelled_set(path.read_text("utf-8"))


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def by_label(items: tuple[LabelledItem, ...]) -> dict[str | float, list[str]]:
    """Label -> the text that it is about: the second of a pair."""
    found: dict[str | float, list[str]] = {}
    for item in items:
        found.setdefault(item.label, []).append(item.texts[-1])
    return found


def test_a_set_is_large_enough_and_its_labels_are_balanced_in_each_split_and_language(task: str) -> None:
    data = read(task)
    for language in LANGUAGES:
        for split, least in (("train", 30), ("held_out", 40)):
            counts = Counter(item.label for item in data.part(split, [language]))  # type: ignore[arg-type]
            assert sum(counts.values()) >= least
            assert len(set(counts.values())) == 1, counts
            wanted = set(data.labels) if data.labels else {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
            assert set(counts) == wanted


def test_a_set_has_the_shape_and_the_metric_of_its_task(task: str) -> None:
    data = read(task)
    n_texts = 1 if task in ("cola", "sst2") else 2
    assert {len(item.texts) for item in data.items} == {n_texts}
    assert len(data.labels) == {"mnli": 3, "stsb": 0}.get(task, 2)
    assert data.metric == METRICS.get(task, "accuracy")
    assert set(NEGATIONS) == {item.language for item in data.items}


def test_texts_are_written_in_their_language_and_end_as_sentences_do(task: str) -> None:
    for item in read(task).items:
        for text in item.texts:
            assert script_of(text) == {"en": "LATIN", "ko": "HANGUL"}[item.language], text
            assert text == " ".join(text.split()), text
            assert text[-1] in ".?", text


def test_no_item_stands_twice_in_all_nine_sets() -> None:
    items = [item for task in TASKS for item in read(task).items]
    seen = Counter(item.fingerprint for item in items)
    assert [item.texts for item in items if seen[item.fingerprint] > 1] == []


def test_no_text_of_the_held_out_items_is_trained_on(task: str) -> None:
    texts = {
        split: {text for item in read(task).part(split, LANGUAGES) for text in item.texts}  # type: ignore[arg-type]
        for split in ("train", "held_out")
    }
    assert texts["train"] & texts["held_out"] == set()


def test_a_text_of_the_sets_is_in_no_other_sample_of_ours() -> None:
    samples = site_root() / "assets"
    paths = [*samples.glob("tasks/*/*.json"), *samples.glob("samples/*.json"), *samples.glob("samples/*.txt")]
    others = "\n".join(path.read_text("utf-8") for path in paths)
    texts = {text for task in TASKS for item in read(task).items for text in item.texts}
    assert [text for text in texts if text in others] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_neither_length_nor_negation_tells_the_label(task: str, language: str) -> None:
    data = read(task)
    if not data.labels:
        return
    of_label = by_label(tuple(item for item in data.items if item.language == language))
    lengths = [mean(map(len, texts)) for texts in of_label.values()]
    assert max(lengths) <= MOST_LONGER * min(lengths)
    negated = [
        mean(bool(NEGATIONS[language].search(text.lower())) for text in texts) for texts in of_label.values()
    ]
    assert max(negated) - min(negated) <= MOST_NEGATIONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_single_word_tells_the_label(task: str, language: str) -> None:
    data = read(task)
    if not data.labels:
        return
    of_label = by_label(tuple(item for item in data.items if item.language == language))
    counts = [Counter(w for text in texts for w in set(text.lower().split())) for texts in of_label.values()]
    n_each = len(next(iter(of_label.values())))
    for word in set().union(*counts):
        n = [one[word] for one in counts]
        assert max(n) - min(n) <= n_each / 3, (word, n)


def test_one_text_of_a_pair_alone_does_not_tell_the_label(task: str) -> None:
    data = read(task)
    train, held_out = (data.part(split, LANGUAGES) for split in ("train", "held_out"))  # type: ignore[arg-type]
    right = [item.label for item in held_out]
    for only in range(2 if len(held_out[0].texts) == 2 else 0):
        told = bag_of_words(train, held_out, only=only)
        if data.labels:
            n_right = sum(a == b for a, b in zip(told, right, strict=True))
            low, high = wilson_interval(n_right, len(right))
            assert low <= 1 / len(data.labels) <= high, (task, only, n_right)
        else:
            assert abs(spearman(told, right).value) < 0.4


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bag_of_words_is_not_better_than_chance_where_the_label_is_in_the_order_of_words(
    task: str, language: str
) -> None:
    data = read(task)
    if not data.labels:
        return
    train, held_out = (data.part(split, [language]) for split in ("train", "held_out"))  # type: ignore[arg-type]
    told = bag_of_words(train, held_out)
    n_right = sum(a == item.label for a, item in zip(told, held_out, strict=True))
    low, high = wilson_interval(n_right, len(held_out))
    assert low <= 1 / len(data.labels) <= high, (task, n_right)
