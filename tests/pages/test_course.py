"""The course: every page leads on to the next in the order of the navigation, Home shows what was opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground import navigation
from playground.ui import course
from tests.pages.conftest import OpenApp

ROOT = Path(__file__).parents[2]
NAMES = [page.name for page in navigation.PAGES]


def test_the_next_page_follows_the_navigation_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [course.following(name).name for name in NAMES] == [*NAMES[1:], NAMES[0]]
    new = navigation.Page("new", navigation.TEXT, ":material/home:")
    monkeypatch.setattr(navigation, "PAGES", (navigation.PAGES[0], new, *navigation.PAGES[1:]))
    assert [course.following(name).name for name in ("home", "new")] == ["new", NAMES[1]]


def labels(app: AppTest) -> list[str]:
    return [str(one.proto.label) for one in app.get("page_link")]


@pytest.mark.parametrize("page", ["home", "tokenization", "scaling", "classroom"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_page_ends_with_the_link_to_the_next(page: str, language: str, open_app: OpenApp) -> None:
    app = open_app(page, lang=language)
    found = labels(app)
    following = course.following(page).name
    first_line = (
        (ROOT / "assets/lessons" / language / f"{following}.md").read_text("utf-8").partition("\n")[0]
    )
    assert app.get("page_link")[-1].proto.page == following.replace(navigation.FIRST, "")
    assert found[-1].endswith(first_line.removeprefix("# "))


def test_home_shows_which_pages_this_session_has_opened(open_app: OpenApp) -> None:
    app = open_app("home", lang="en")
    said = [one.value for one in app.markdown]
    n = len(NAMES)
    assert f"Opened in this session: 1 of {n} pages. Tasks solved: 0." in said
    app.switch_page("../pages/tokenization.py").run()
    app.switch_page("../pages/home.py").run()
    said = [one.value for one in app.markdown]
    assert f"Opened in this session: 2 of {n} pages. Tasks solved: 0." in said
    links = [(one.proto.page, one.proto.icon) for one in app.get("page_link")]
    assert {page for page, icon in links if icon == ":material/check_circle:"} == {"tokenization"}
    assert {page for page, _icon in links} == {*NAMES} - {"home"}
