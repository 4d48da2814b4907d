"""CONTRIBUTING.md, "Add a page": for every page, which of the places is missing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def _sections() -> set[str]:
    """Names in SECTIONS of app.py, which runs as a script and cannot be imported."""
    tree = ast.parse((ROOT / "playground" / "app.py").read_text("utf-8"))
    (sections,) = (
        node.value for node in tree.body if isinstance(node, ast.AnnAssign) and node.target.id == "SECTIONS"
    )
    return {name.value for names in sections.values for name in names.elts}


@pytest.mark.parametrize("page", PAGES)
def test_step_1_the_page_stands_in_a_section(page: str) -> None:
    assert page in _sections(), f"add {page!r} to SECTIONS in playground/app.py"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "place", ["assets/lessons/en/{}.md", "assets/lessons/ko/{}.md", "tests/pages/test_{}.py"]
)
def test_steps_5_and_6_the_page_has_its_lessons_and_its_test(page: str, place: str) -> None:
    path = ROOT / place.format(page)
    assert path.is_file(), f"write {path.relative_to(ROOT)}"


@pytest.mark.parametrize("page", PAGES)
def test_step_6_the_readme_names_the_page(page: str) -> None:
    title = (ROOT / "assets" / "lessons" / "en" / f"{page}.md").read_text("utf-8").splitlines()[0]
    assert title.removeprefix("# ") in (ROOT / "README.md").read_text("utf-8")


def test_there_are_pages() -> None:
    assert "home" in PAGES
