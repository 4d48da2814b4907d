"""Every page in a language of which there are a few strings and one lesson: the rest is English."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import navigation
from tests.pages.conftest import OpenApp
from tests.pages.test_every_page import LINKS
from tests.third_language import polish_too


@pytest.mark.parametrize("page", [page.name for page in navigation.PAGES])
def test_a_page_is_drawn_in_a_language_that_was_added(
    page: str, open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with polish_too(tmp_path, monkeypatch):
        app = open_app(page, lang="pl", text="the cat sat on the mat", **LINKS.get(page, {}))
        titles = {box.value.partition("\n")[0] for box in app.markdown}
        english = open_app(page, lang="en").markdown[0].value.partition("\n")[0]
    assert not app.exception
    assert not app.error
    assert app.button_group(key="lang_choice").value == "pl"
    assert ("# Dom" if page == "home" else english) in titles
