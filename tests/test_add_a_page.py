"""CONTRIBUTING.md, "Add a page": for every page, which of the places is missing or not written yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground import navigation
from playground.new_page import COMING_SOON

ROOT = Path(__file__).parents[1]
PAGES = sorted({path.stem for path in (ROOT / "pages").glob("*.py")} | set(navigation.BY_NAME))
FOLDER = "playground/ui/{}"
LESSONS = ("assets/lessons/en/{}.md", "assets/lessons/ko/{}.md")
TEST = "tests/pages/test_{}.py"


@pytest.mark.parametrize("page", PAGES)
def test_step_1_the_page_is_in_the_list_and_has_its_files(page: str) -> None:
    assert page in navigation.BY_NAME, f"add {page!r} to PAGES in playground/navigation.py"
    for place in ("pages/{}.py", f"{FOLDER}/page.py"):
        path = ROOT / place.format(page)
        assert path.is_file(), f"write {path.relative_to(ROOT)}: make page NAME={page} writes all of them"


def test_step_1_names_and_places_are_unique_and_sections_stand_together() -> None:
    assert len(navigation.BY_NAME) == len(navigation.PAGES)
    sections = [page.section for page in navigation.PAGES]
    begun = [section for place, section in enumerate(sections) if section not in sections[place - 1 : place]]
    assert len(begun) == len(set(sections)), "move the entry to the others of its section"


@pytest.mark.parametrize("page", PAGES)
def test_step_1_the_file_in_pages_is_the_same_for_every_page(page: str) -> None:
    first, this = (
        re.sub(rf"\b{name}\b", "NAME", (ROOT / "pages" / f"{name}.py").read_text("utf-8"))
        for name in (navigation.FIRST, page)
    )
    assert this == first, f"what the page draws stands in playground/ui/{page}/page.py"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("place", [*LESSONS, TEST])
def test_steps_5_and_6_the_page_has_its_lessons_and_its_test(page: str, place: str) -> None:
    path = ROOT / place.format(page)
    assert path.is_file(), f"write {path.relative_to(ROOT)}"


@pytest.mark.parametrize("place", [FOLDER, *LESSONS, TEST, "assets/code/{}.py"])
@pytest.mark.parametrize("page", PAGES)
def test_no_word_of_the_skeleton_is_left(page: str, place: str) -> None:
    path = ROOT / place.format(page)
    files = sorted(path.glob("*.py")) if path.is_dir() else [path] if path.is_file() else []
    left = [
        f"{file.relative_to(ROOT)}: {soon}"
        for file in files
        for soon in COMING_SOON.values()
        if soon.casefold() in file.read_text("utf-8").casefold()
    ]
    assert left == [], "write what is coming soon"


@pytest.mark.parametrize("page", PAGES)
def test_step_6_the_readme_names_the_page(page: str) -> None:
    title = (ROOT / "assets" / "lessons" / "en" / f"{page}.md").read_text("utf-8").splitlines()[0]
    assert title.removeprefix("# ") in (ROOT / "README.md").read_text("utf-8")


def test_there_are_pages() -> None:
    assert "home" in PAGES
