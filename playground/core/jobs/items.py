"""Sets of four jobs with right answers: names in texts, translations, summaries, questions about texts.

The fifth job, classification, is a set of labelled texts: `core.labelled_sets`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from playground.core.labelled_sets import Split


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name in a text.

    Attributes:
        start: Where it begins, a number of characters.
        end: The character behind it; a Korean particle is not part of a name.
        kind: PER (a person, the title left out), ORG (a firm, school, team, office), LOC (a country, town,
            river, mountain, street) or DATE (a day, month or year of the calendar).
    """

    start: int
    end: int
    kind: str


class Item(Protocol):
    """An item of any set: it has a language, a split and texts that tell it from all others."""

    @property
    def language(self) -> str:
        """Code of the language of its text."""

    @property
    def split(self) -> Split:
        """The part it belongs to: trained on, or measured on."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its texts (64 hex digits)."""


Some = TypeVar("Some", bound=Item)


@dataclass(frozen=True, slots=True)
class NamesItem:
    """A text with all names in it, in order.

    Attributes:
        language: Code of its language.
        split: Whether something may be trained on it, or is measured on it.
        text: The text.
        names: Its names; none where it has none.
    """

    language: str
    split: Split
    text: str
    names: tuple[NameSpan, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its text (64 hex digits)."""
        return _fingerprint(self.text)


@dataclass(frozen=True, slots=True)
class WritingItem:
    """A text that is to be translated or summarised, with texts that are right answers.

    Attributes:
        language: Code of its language.
        split: Whether it may stand in a prompt as an example, or is measured on.
        text: The text.
        target: Code of the language of the answer.
        references: One right answer or more, none of them the only one.
    """

    language: str
    split: Split
    text: str
    target: str
    references: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its text (64 hex digits)."""
        return _fingerprint(self.text)


@dataclass(frozen=True, slots=True)
class QuestionItem:
    """A question that a passage of the text answers.

    Attributes:
        language: Code of its language.
        split: Whether it may stand in a prompt as an example, or is measured on.
        context: The text.
        question: The question.
        answers: Passages that answer it; each occurs once in the text.
    """

    language: str
    split: Split
    context: str
    question: str
    answers: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its text and its question (64 hex digits)."""
        return _fingerprint(self.context, self.question)


def part(items: Iterable[Some], split: Split, languages: Iterable[str]) -> tuple[Some, ...]:
    """The items of a split in some languages, in the order of the file."""
    wanted = set(languages)
    return tuple(one for one in items if one.split == split and one.language in wanted)


def read_names(text: str) -> tuple[NamesItem, ...]:
    """A set of texts with names from its JSON: `types`, and `items` of `language`, `split`, `text`, `spans`.

    Raises:
        ValueError: A span is empty, outside its text, within another, begins or ends with a space, or is of
            no type of the set.

    Example:
        >>> item = '{"language": "ko", "split": "train", "text": "서울은 크다.", "spans": [[0, 2, "LOC"]]}'
        >>> read_names('{"types": ["LOC"], "items": [%s]}' % item)[0].names
        (NameSpan(start=0, end=2, kind='LOC'),)
    """
    raw = json.loads(text)
    return tuple(_names(one, raw["types"]) for one in raw["items"])


def read_writing(text: str) -> tuple[WritingItem, ...]:
    """Texts with right answers from their JSON: `items` of `language`, `split`, `text`, `references`.

    An item whose answer is in another language says which in `target`.

    Raises:
        ValueError: A text or a reference is empty, or there is no reference.
    """
    items = tuple(
        WritingItem(
            one["language"],
            one["split"],
            one["text"],
            one.get("target", one["language"]),
            tuple(one["references"]),
        )
        for one in json.loads(text)["items"]
    )
    for one in items:
        if not one.text.strip() or not one.references or not all(answer.strip() for answer in one.references):
            raise ValueError(f"a text without a right answer: {one.text!r}")
    return items


def read_questions(text: str) -> tuple[QuestionItem, ...]:
    """Questions from their JSON: `items` of `language`, `split`, `context`, `question`, `answers`.

    Raises:
        ValueError: There is no answer, or one that does not occur exactly once in its text.
    """
    items = tuple(
        QuestionItem(one["language"], one["split"], one["context"], one["question"], tuple(one["answers"]))
        for one in json.loads(text)["items"]
    )
    for one in items:
        if not one.answers or not all(answer and one.context.count(answer) == 1 for answer in one.answers):
            raise ValueError(f"an answer that does not stand once in its text: {one.question!r}")
    return items


def _names(raw: dict[str, Any], kinds: list[str]) -> NamesItem:
    text = raw["text"]
    names = tuple(NameSpan(*span) for span in raw["spans"])
    before = 0
    for one in names:
        name = text[one.start : one.end]
        if not before <= one.start < one.end <= len(text) or name != name.strip() or one.kind not in kinds:
            raise ValueError(f"no name of {', '.join(kinds)} in {text!r}: {one}")
        before = one.end
    return NamesItem(raw["language"], raw["split"], text, names)


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\x1e".join(" ".join(text.split()) for text in texts).encode()).hexdigest()
