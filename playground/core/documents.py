"""Documents to look things up in: sections with dates, questions, and the passages that answer them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["plain", "paraphrase", "rare", "none"]
Span = tuple[int, int]

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
TITLE = re.compile(r"\A# (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading of its own.

    Attributes:
        title: Its heading.
        span: First character of the heading's line and the one after the section's last.
        written: Day on which it was last changed.
    """

    title: str
    span: Span
    written: date


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its metadata.

    Attributes:
        document_id: Its name, the same in every language.
        title: Its first heading.
        source: Kind of text: "handbook", "guide", "log".
        language: Code of its language.
        text: The whole text; every span counts its characters.
        sections: Its sections in order; together they hold all text below the title.
    """

    document_id: str
    title: str
    source: str
    language: str
    text: str
    sections: tuple[Section, ...]

    def written(self, place: int) -> date:
        """The date of the section in which a character stands; before the first one, that of the newest."""
        for section in self.sections:
            if section.span[0] <= place < section.span[1]:
                return section.written
        return max(section.written for section in self.sections)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a document.

    Attributes:
        question_id: Its name, the same in every language of the document.
        kind: "plain"; "paraphrase", which shares no word with the passage; "rare", which names something
            that stands nowhere else; "none", which the document does not answer.
        text: The question.
        answers: Strings that are a right answer; the first one stands in the passage. Empty for "none".
        passage: The sentence or sentences that answer it, which stand once in the document. "" for "none".
        span: First character of the passage and the one after its last. (0, 0) for "none".
        planted: Something false of the same kind, for the place of the first answer. "" for "none".
    """

    question_id: str
    kind: Kind
    text: str
    answers: tuple[str, ...]
    passage: str
    span: Span
    planted: str

    def held_by(self, text: str) -> bool:
        """True if a piece of the document holds the whole passage; never for a question without an answer."""
        return bool(self.answers) and self.passage in text

    def falsified(self, text: str) -> str:
        """A piece of the document that holds the passage, with what is false in the place of the answer.

        Raises:
            ValueError: The piece does not hold the whole passage.
        """
        if not self.held_by(text):
            raise ValueError(f"the passage of {self.question_id} is not in {text[:40]!r}")
        start = text.index(self.answers[0], text.index(self.passage))
        return text[:start] + self.planted + text[start + len(self.answers[0]) :]


def read_document(document_id: str, language: str, text: str, source: str, dates: Sequence[str]) -> Document:
    """A document from its text: a line `# title`, then sections that begin with `## heading`.

    Args:
        document_id, language, source: As in `Document`.
        text: The text.
        dates: Day of each section, as "2031-04-01".

    Raises:
        ValueError: It has no title, or another number of sections than dates.

    Example:
        >>> text = "# Rules\\n\\n## Doors\\nShut them."
        >>> read_document("rules", "en", text, "handbook", ["2031-04-01"]).sections[0].title
        'Doors'
    """
    title = TITLE.match(text)
    headings = list(HEADING.finditer(text))
    if title is None or len(headings) != len(dates) or not dates:
        raise ValueError(f"{document_id}: {len(headings)} sections, {len(dates)} dates")
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    sections = tuple(
        Section(heading.group(1), (heading.start(), end), date.fromisoformat(day))
        for heading, end, day in zip(headings, ends, dates, strict=True)
    )
    return Document(document_id, title.group(1), source, language, text, sections)


def read_questions(text: str, document: Document) -> tuple[Question, ...]:
    """Questions from their JSON: `id`, `kind`, `question`, `answers`, `passage`, `planted`.

    Raises:
        ValueError: A passage is not once in the document, or does not hold the first answer once.
    """
    return tuple(_question(raw, document) for raw in json.loads(text))


def _question(raw: dict[str, str | list[str]], document: Document) -> Question:
    name, kind, text = str(raw["id"]), str(raw["kind"]), str(raw["question"])
    if kind == "none":
        return Question(name, "none", text, (), "", (0, 0), "")
    passage, answers = str(raw["passage"]), tuple(raw["answers"])
    if document.text.count(passage) != 1 or passage.count(answers[0]) != 1:
        raise ValueError(f"{document.document_id}: {name}")
    start = document.text.index(passage)
    known: dict[str, Kind] = {"plain": "plain", "paraphrase": "paraphrase", "rare": "rare"}
    span = start, start + len(passage)
    return Question(name, known[kind], text, answers, passage, span, str(raw["planted"]))
