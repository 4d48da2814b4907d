"""The text that models are trained on from zero: the words of this project itself, in two languages.

Lessons, lesson plans, the three documents and the little story of `assets/samples`, all under this
project's licence (Apache-2.0). Each half has its own files, so that one half is news to a model that read the
other; its lines come in an order of their own, so that the end of the text is like the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from playground.core.pretraining import normal
from playground.core.pretraining_run import LANGUAGES, NAME
from playground.paths import site_root

HALVES = (
    ("home", "tokenization", "embeddings", "attention", "inside", "positions", "sampling", "masked"),
    ("prompting", "finetuning", "retrieval", "evaluation", "tasks", "families", "seq2seq", "classroom"),
)
_DOCUMENTS = (("corpus", "observatory"), ("ferry", "bicycle"))
_MARKS = re.compile(r"\*\*|`|^#+ |^[>?] |^- |^\d+\. |^\*|\*$")
_PARTS = re.compile(r"^## .*")
SEED, SHORTEST = 0, 20  # characters of a line


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Write `pretraining/text-en.txt` and `text-ko.txt`; then make the runs again too."""
    (assets / NAME).mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        text = composed(language)
        (assets / NAME / f"text-{language}.txt").write_text(text, "utf-8")
        say(f"{language}: {len(text):,} characters, {len(text.encode()):,} bytes")


def composed(language: str) -> str:
    """The text of a language, from the files as they are now."""
    random = np.random.default_rng(SEED)
    lines: list[str] = []
    for topics, documents in zip(HALVES, _DOCUMENTS, strict=True):
        files = [*(_lesson_files(language, topics)), *(_document_files(language, documents))]
        half = [line for file in files for line in _lines(file)]
        half = list(dict.fromkeys(half))  # a line that stands in two files is known
        lines += [half[place] for place in random.permutation(len(half))]
    return normal("\n".join(lines) + "\n")


def _lesson_files(language: str, topics: tuple[str, ...]) -> list[Path]:
    assets = site_root() / "assets"
    places = [(assets / kind / language / f"{topic}.md") for topic in topics for kind in ("lessons", "plans")]
    return [one for one in places if one.is_file()]


def _document_files(language: str, names: tuple[str, ...]) -> list[Path]:
    samples = site_root() / "assets" / "samples"
    places = {name: samples / "documents" / language / f"{name}.md" for name in names}
    return [samples / f"corpus_{language}.txt" if name == "corpus" else places[name] for name in names]


def _lines(file: Path) -> list[str]:
    found = [_MARKS.sub("", line).strip() for line in file.read_text("utf-8").splitlines()
             if not _PARTS.match(line)]  # fmt: skip
    return [line for line in found if len(line) >= SHORTEST and not line.startswith("|")]
