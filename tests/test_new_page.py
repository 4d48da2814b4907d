"""`make page NAME=...`: in a copy of the tree, the new page passes every test of a page but *coming soon*."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playground import actions, new_page
from playground.installation import ROOT, SetUpFailed

COPIED = (
    "playground", "pages", "assets", "tests", "benchmarks", ".streamlit", "pyproject.toml", "Makefile",
    "README.md", "README.ko.md", "CONTRIBUTING.md",
)  # fmt: skip
NAME = "seq_to_seq"
OF_A_PAGE = ("tests/test_add_a_page.py", "tests/pages/test_every_page.py", "tests/pages/test_settings.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree without its history, pictures and caches."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "screenshots")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def said_by(folder: Path, tool: str, *arguments: str) -> str:
    """What a tool of developers says there."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", tool, *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def failures(folder: Path, *arguments: str) -> set[str]:
    """The tests that fail there."""
    options = ("-p", "no:cacheprovider", "-rf", "--tb=line")
    said = said_by(folder, "pytest", *options, *arguments)
    assert " passed" in said, said
    return set(re.findall(r"^FAILED (\S+)", said, re.MULTILINE))


def test_a_new_page_passes_its_tests_in_both_languages_until_coming_soon_is_replaced(copy: Path) -> None:
    bootstrap = [sys.executable, "playground/bootstrap.py", "page", NAME]
    subprocess.run(bootstrap, cwd=copy, check=True, capture_output=True)
    assert said_by(copy, "ruff", "check", "--quiet", "--no-cache", "playground", "pages", "tests") == ""
    assert (
        said_by(copy, "ruff", "format", "--quiet", "--no-cache", "--check", "playground", "pages", "tests")
        == ""
    )
    lessons = ("tests/ui/test_text.py", "tests/ui/test_glossary.py", "tests/test_documents.py")
    wanted = f"{NAME} or layers or a_readme_asks or korean or glossary"
    assert failures(copy, *lessons, "tests/test_layers.py", "-k", wanted) == set()
    places = (
        "playground/ui/{}",
        *(f"assets/lessons/{language}/{{}}.md" for language in ("en", "ko")),
        "tests/pages/test_{}.py",
        "assets/code/{}.py",
    )
    refused = {
        f"tests/test_add_a_page.py::test_no_word_of_the_skeleton_is_left[{NAME}-{place}]" for place in places
    }
    assert failures(copy, *OF_A_PAGE, f"tests/pages/test_{NAME}.py", "-k", NAME) == refused


def test_a_name_that_is_taken_or_none_changes_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ROOT", copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    for name in ("sampling", "text", "components", "Seq2Seq", "../x", "", "a b"):
        with pytest.raises(SetUpFailed):
            new_page.write(name, copy)
        assert actions.perform("page", [name]) == 1
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
