"""What the documents for readers and operators name exists, and both READMEs say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground import installation, navigation
from playground.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "README.ko.md", "OPERATING.md", "CONTRIBUTING.md")
READMES = ("README.md", "README.ko.md")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands(text: str) -> list[str]:
    """Lines of the plain blocks, without their remarks and without what is quoted."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [re.split(r"\s+# ", line)[0].strip() for block in blocks for line in block.splitlines()]
    return [re.sub(r"'[^']*'", "''", line) for line in lines if line]


def lesson_lines(language: str, page: str) -> tuple[str, str]:
    """(title, question) of a page's lesson."""
    lesson = (ROOT / "assets/lessons" / language / f"{page}.md").read_text("utf-8")
    return lesson.partition("\n")[0].removeprefix("# "), lesson.split("## question\n")[1].partition("\n")[0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_target_of_make_and_every_setting_that_is_named_exists(name: str) -> None:
    text = read(name)
    targets = set(re.findall(r"\bmake(?: -C \S+)? ([a-z]+)\b", " ".join(re.findall(r"`([^`]+)`", text))))
    targets |= {word for line in commands(text) for word in re.findall(r"\bmake(?: -C \S+)? ([a-z]+)", line)}
    known = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert targets <= known
    settings = set(re.findall(r"PLAYGROUND_([A-Z_]+)\b", text))
    assert {setting.lower() for setting in settings} <= set(Settings.model_fields)


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.ko.md", "ko")])
def test_a_readme_asks_the_questions_of_the_lessons(name: str, language: str) -> None:
    rows = re.findall(r"^\| \[?([^\]|]+)\]?(?:\(\S+\))? \| ([^|]+) \|$", read(name), re.MULTILINE)
    asked = {(title.strip(), question.strip()) for title, question in rows[1:]}
    assert asked == {lesson_lines(language, page) for page in navigation.BY_NAME}


def test_both_readmes_have_the_same_parts_and_commands() -> None:
    english, korean = (read(name) for name in READMES)
    for sign in ("## ", "### ", "- ", "| ", "![", "```"):
        counts = [sum(line.startswith(sign) for line in text.splitlines()) for text in (english, korean)]
        assert counts[0] == counts[1], sign
    assert commands(english) == commands(korean)
    numbers = [set(re.findall(r"\d[\d,.]*\d|\d+", text)) for text in (english, korean)]
    assert {"2,000", "512", "128", "500", "200", "13", "4"} <= numbers[0] & numbers[1]


def test_the_disk_that_is_written_is_the_disk_that_is_asked_for() -> None:
    for torch, column in (("cpu", 1), ("cuda", 2)):
        said = [
            float(row.split("|")[column + 1].strip().removesuffix(" GB"))
            for row in read("OPERATING.md").splitlines()
            if row.endswith(" GB |")
        ]
        assert said == [size / 1e9 for size in installation.NEEDED[torch]]
        total = f"{sum(installation.NEEDED[torch]) / 1e9:.0f} GB"
        assert all(total in read(name) for name in READMES)
