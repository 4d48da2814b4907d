"""A seeded short walk over every page; `make explore` operates every control."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.explore import PAGES, exploring

N_STEPS = 8


@pytest.mark.parametrize("name", PAGES)
def test_a_random_walk_meets_no_error(browser: Browser, server_url: str, name: str) -> None:
    language = ("en", "ko")[PAGES.index(name) % 2]
    with exploring(browser, server_url, name, language, seed=1, seconds=120) as explorer:
        explorer.at_random(N_STEPS)
    assert explorer.troubles == [], "\n".join(map(str, explorer.troubles))


def test_the_walk_would_notice(browser: Browser, server_url: str) -> None:
    """A page with an error box, a console error and a text in the other language is told three times."""
    with exploring(browser, server_url, "home", "ko", seed=1, seconds=120) as explorer:
        explorer.open()
        assert explorer.troubles == []
        explorer.tab.evaluate(
            """() => {
              const box = document.createElement("div");
              box.dataset.testid = "stException";
              box.append("boom");
              const text = document.createElement("p");
              text.append("Copy the link to this view");
              document.querySelector("[data-testid=stMain]").append(box, text);
              console.error("seen");
            }"""
        )
        explorer.look()
    found = " ".join(trouble.what for trouble in explorer.troubles)
    assert "an error: boom" in found
    assert "left in the other language: Copy the link to this view" in found
    assert "console error: seen" in found
