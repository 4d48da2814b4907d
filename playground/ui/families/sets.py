"""The texts of the job that all three families do: sentiment of short reviews, English and Korean, ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from playground.paths import site_root

_POSITIVE = ("positive", "긍정")
N_SHOTS = 4


@dataclass(frozen=True, slots=True)
class Item:
    """One review.

    Attributes:
        text: The review.
        language: Code of its language.
        is_positive: Its label.
    """

    text: str
    language: str
    is_positive: bool


@lru_cache
def test_items() -> tuple[Item, ...]:
    """The reviews that everybody is asked about; none of them is among those that a head is trained on."""
    rows = json.loads((site_root() / "assets" / "samples" / "sentiment.json").read_text("utf-8"))
    return tuple(Item(row["text"], row["language"], row["label"] in _POSITIVE) for row in rows)


@lru_cache
def training_items() -> tuple[Item, ...]:
    """The reviews that a head is trained on: those of the few-shot task, in both languages."""
    items = []
    for language in dict.fromkeys(item.language for item in test_items()):
        path = site_root() / "assets" / "tasks" / language / "sentiment.json"
        for row in json.loads(path.read_text("utf-8"))["items"]:
            items.append(Item(row["text"], language, row["label"] in _POSITIVE))
    return tuple(items)


def shots(language: str) -> tuple[Item, ...]:
    """The examples of a decoder's prompt: the first training reviews of a language, equally many a label."""
    mine = [item for item in training_items() if item.language == language]
    sides = ([item for item in mine if item.is_positive], [item for item in mine if not item.is_positive])
    return tuple(item for pair in zip(*sides, strict=False) for item in pair)[:N_SHOTS]


def prompt(item: Item) -> str:
    """The text that a decoder reads: a few labelled reviews, and the one that is asked about."""
    before = "".join(
        f"Review: {one.text}\nSentiment: {'positive' if one.is_positive else 'negative'}\n\n"
        for one in shots(item.language)
    )
    return f"{before}Review: {item.text}\nSentiment:"


def source(item: Item) -> str:
    """The text that T5 was trained to judge.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, appendix D.5: SST-2.
    """
    return f"sst2 sentence: {item.text}"
