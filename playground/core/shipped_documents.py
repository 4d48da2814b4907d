"""The documents that come with the playground, with the questions about them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from playground.core.documents import Document, Question, read_document, read_questions
from playground.paths import site_root


def _folder() -> Path:
    return site_root() / "assets" / "samples" / "documents"


@cache
def names() -> tuple[str, ...]:
    """Ids of the documents, in the order in which they are offered."""
    return tuple(json.loads((_folder() / "documents.json").read_text("utf-8")))


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that each document is in."""
    return tuple(sorted(path.name for path in _folder().iterdir() if path.is_dir()))


@cache
def document(name: str, language: str) -> Document:
    """One of the documents in one of its languages."""
    facts = json.loads((_folder() / "documents.json").read_text("utf-8"))[name]
    text = (_folder() / language / f"{name}.md").read_text("utf-8")
    return read_document(name, language, text, facts["source"], facts["dates"])


@cache
def questions(name: str, language: str) -> tuple[Question, ...]:
    """The questions about one of them, in its language."""
    text = (_folder() / language / f"{name}.json").read_text("utf-8")
    return read_questions(text, document(name, language))
