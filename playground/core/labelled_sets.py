"""Sets of texts with the right answer: what a head or a prompt is trained on, and what it is measured on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "held_out"]
Metric = Literal["accuracy", "f1", "matthews", "spearman"]


def fingerprint(texts: Iterable[str]) -> str:
    """SHA-256 of texts that are judged together, however their words are spaced (64 hex digits).

    Example:
        >>> fingerprint(["so  good"]) == fingerprint(["so good"]) != fingerprint(["so", "good"])
        True
    """
    joined = "\x1e".join(" ".join(text.split()) for text in texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One text, or a pair of texts, with its label.

    Attributes:
        language: Code of its language.
        split: Whether something may be trained on it, or is measured on it.
        texts: One text, or two that are judged together.
        label: One of the set's labels; a number for a set without labels.
    """

    language: str
    split: Split
    texts: tuple[str, ...]
    label: str | float

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its texts, which tells whether something was trained on it (64 hex digits)."""
        return fingerprint(self.texts)


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A set of labelled texts in several languages.

    Attributes:
        labels: The labels, the one that F1 counts last; empty where the label is a number.
        metric: The figure that the field reports for this kind of set.
        items: All items.
    """

    labels: tuple[str, ...]
    metric: Metric
    items: tuple[LabelledItem, ...]

    def part(self, split: Split, languages: Iterable[str]) -> tuple[LabelledItem, ...]:
        """The items of a split in some languages, in the order of the file."""
        wanted = set(languages)
        return tuple(one for one in self.items if one.split == split and one.language in wanted)


def read_labelled_set(text: str) -> LabelledSet:
    """A set from its JSON: `labels`, `metric`, and `items` of `language`, `split`, `texts`, `label`.

    Example:
        >>> items = '[{"language": "en", "split": "train", "texts": ["Good."], "label": "positive"}]'
        >>> read = '{"labels": ["negative", "positive"], "metric": "accuracy", "items": %s}' % items
        >>> read_labelled_set(read).part("train", ["en"])[0].texts
        ('Good.',)
    """
    raw = json.loads(text)
    items = tuple(
        LabelledItem(one["language"], one["split"], tuple(one["texts"]), one["label"]) for one in raw["items"]
    )
    return LabelledSet(tuple(raw["labels"]), raw["metric"], items)
