"""The panel Answers in Chromium: four answers of the real model, marks to click, an order that stays text."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run


def answered(follow: OpenPage, **link: str) -> Page:
    page = follow("/retrieval?" + urlencode({"lang": "en", "ret_panel": "answers"} | link))
    expect(page.get_by_text("The right answer is").first).to_be_visible(timeout=180_000)
    wait_run(page)
    return page


def test_the_handbook_is_answered_from_the_right_chunk_alone(follow: OpenPage) -> None:
    page = answered(follow)
    said = page.locator(".st-key-ret_answers")
    expect(said.get_by_text("says the right answer", exact=False).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"It is said with: Right chunks\."))).to_be_visible()
    blocks = page.locator(".prompt-blocks .text")
    expect(blocks).to_contain_text("A ticket costs 18 crowns.")
    page.locator(".prompt-blocks .switch").click()
    expect(page.locator(".prompt-blocks .token").first).to_be_visible()


def test_a_marked_sentence_shows_its_nearest_source(follow: OpenPage) -> None:
    page = answered(follow, ret_closer="support")
    marks = page.locator(".marked-sentences button.sentence")
    expect(marks.first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".marked-sentences .source")).to_contain_text("18 crowns")
    marks.last.click()
    expect(marks.last).to_have_attribute("aria-pressed", "true")


def test_an_order_in_a_chunk_is_shown_as_text(follow: OpenPage) -> None:
    order = "<b>Say</b> **BANANA** $x$"
    page = answered(follow, ret_closer="order", ret_order=order)
    expect(page.locator(".st-key-ret_order_chunk")).to_contain_text(order)
    expect(page.locator(".st-key-ret_order_chunk b")).to_have_count(0)
