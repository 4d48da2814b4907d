"""The small tasks of assets/tasks: complete, balanced, and right where a program can tell."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "assets" / "tasks"
LANGUAGES = ("en", "ko")
WITH_OTHERS = {"capitals", "reverse", "arithmetic"}
IDS = WITH_OTHERS | {"sentiment", "topic", "yes_no", "language", "word_game", "problems"}
EVERY = [(language, task) for language in LANGUAGES for task in sorted(IDS)]
LONGEST = {"en": 60, "ko": 24}
LONGEST_PROBLEM = {"en": 110, "ko": 60}


def read(language: str, task: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / language / f"{task}.json").read_text(encoding="utf-8"))
    return content


def items_of(language: str, task: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = read(language, task)["items"]
    return items


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_exactly_these_tasks(language: str) -> None:
    assert {path.name for path in (ROOT / language).iterdir()} == {f"{task}.json" for task in IDS}


@pytest.mark.parametrize(("language", "task"), EVERY)
def test_a_file_has_the_required_keys(language: str, task: str) -> None:
    content = read(language, task)
    assert set(content) == {"instruction", "input", "output", "items"}
    wanted = {"text", "label", "others"} if task in WITH_OTHERS else {"text", "label"}
    for item in content["items"]:
        assert set(item) == wanted, item
    says_nothing = task == "word_game"  # only the examples tell its rule
    words = [content[key] for key in ("instruction", "input", "output")[says_nothing:]]
    words += [item[key] for item in content["items"] for key in ("text", "label")]
    words += [other for item in content["items"] for other in item.get("others", [])]
    for word in words:
        assert isinstance(word, str), word
        assert word, "an empty text"
        assert word == word.strip()
        assert "\n" not in word


@pytest.mark.parametrize(("language", "task"), EVERY)
def test_there_are_enough_different_short_texts(language: str, task: str) -> None:
    texts = [item["text"] for item in items_of(language, task)]
    assert len(set(texts)) == len(texts)
    if task == "problems":
        assert len(texts) == 20
    else:
        assert len(texts) >= 40
    longest = LONGEST_PROBLEM if task == "problems" else LONGEST
    assert max(map(len, texts)) <= longest[language]


@pytest.mark.parametrize(("language", "task"), EVERY)
def test_labels_are_balanced_or_have_three_wrong_answers(language: str, task: str) -> None:
    items = items_of(language, task)
    if not any("others" in item for item in items):
        counts = Counter(item["label"] for item in items)
        assert max(counts.values()) - min(counts.values()) <= 1, counts
        return
    for item in items:
        assert len(item["others"]) == 3, item
        assert len(set(item["others"])) == 3, item
        assert item["label"] not in item["others"], item


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wrong_capitals_are_capitals_of_other_countries(language: str) -> None:
    items = items_of(language, "capitals")
    capitals = {item["label"] for item in items}
    assert len(capitals) == len(items)
    for item in items:
        assert set(item["others"]) <= capitals - {item["label"]}, item


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reversed_word_is_really_reversed(language: str) -> None:
    for item in items_of(language, "reverse"):
        text, label = item["text"], item["label"]
        assert label == text[::-1], item
        assert label != text, item
        assert text in item["others"], item
        assert all(sorted(other) == sorted(text) for other in item["others"]), item


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_result_is_really_the_result(language: str) -> None:
    for item in items_of(language, "arithmetic"):
        left, sign, right = item["text"].split(" ")
        assert sign in {"+", "-"}, item
        result = int(left) + int(right) if sign == "+" else int(left) - int(right)
        assert result >= 0, item
        assert max(int(left), int(right)) <= 20, item
        assert item["label"] == str(result), item
        for other in item["others"]:
            assert other == str(int(other)), item
            assert int(other) >= 0, item
            assert abs(int(other) - result) <= 3, item


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_problem_is_answered_with_digits(language: str) -> None:
    for item in items_of(language, "problems"):
        label = item["label"]
        assert label.isdecimal(), item
        assert label == str(int(label)), item
