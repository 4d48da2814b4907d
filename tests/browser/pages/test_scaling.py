"""The page Scaling laws in Chromium: the picture on a phone, an axis chosen, a point shown by a tap."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_first_picture_stands_on_the_first_screen_of_a_phone(look_at: OpenPage, language: str) -> None:
    page = look_at(f"/scaling?lang={language}")
    page.set_viewport_size({"width": 390, "height": 844})
    picture = page.locator(".st-key-sca_losses canvas.marks, .st-key-sca_losses svg.marks").first
    expect(picture).to_be_visible(timeout=60_000)
    wait_run(page)
    page.wait_for_function(
        """() => {
          const picture = document.querySelector(".st-key-sca_losses");
          const box = picture?.querySelector("canvas.marks, svg.marks")?.getBoundingClientRect();
          return box && Math.min(box.bottom, 694) - box.top >= 150;
        }"""
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_another_axis_is_another_law(look_at: OpenPage) -> None:
    page = look_at("/scaling?lang=en")
    said = page.get_by_text("ten times as much multiplies the held-out loss by")
    expect(said).to_be_visible(timeout=60_000)
    before = said.inner_text()
    page.get_by_role("radio", name="Data").or_(page.get_by_role("button", name="Data")).first.click()
    wait_run(page)
    expect(said).not_to_have_text(before)
    expect(page).to_have_url(re.compile("sca_axis=data"))
