"""The panel Quantize in Chromium: the grid follows the slider, a copy is measured; a phone, Korean."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import choose_language, wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
GRID = ".st-key-memory_grid_picture"


def test_the_grid_is_there_at_once_and_follows_the_bits(page: Page, open_page: OpenPage) -> None:
    open_page("/memory?lang=en&mem_panel=quantize")
    expect(page.locator(f"{GRID} svg.marks")).to_be_visible()
    expect(page.get_by_text("a factor of 17.", exact=False).first).to_be_visible()
    expect(page.get_by_text("perplexity 633,563 instead of 36.62")).to_be_visible()
    expect(page.get_by_text("grid (values: 16)")).to_be_visible()
    page.get_by_role("slider").first.press("ArrowLeft")
    wait_run(page)
    expect(page.get_by_text("grid (values: 8)")).to_be_visible()
    expect(page).to_have_url(re.compile("mem_q_bits=3"))


def test_a_copy_is_quantized_and_stands_beside_the_model(page: Page, open_page: OpenPage) -> None:
    open_page("/memory?lang=en&mem_panel=quantize&mem_q_per=group&mem_q_zero=true")
    page.get_by_role("button", name="Quantize a copy").click()
    expect(page.get_by_text("Perplexity of 483 tokens")).to_be_visible()
    expect(page.get_by_text("36.62 → 47.74")).to_be_visible()
    expect(page.get_by_text(re.compile(r"goes from 58\.9\s% to 22\.4\s%, and stays"))).to_be_visible()
    expect(page.locator(".st-key-memory_layers_picture svg.marks")).to_be_visible()
    choose_language(page, "한국어")
    expect(page.get_by_text(re.compile(r"58\.9\s%에서 22\.4\s%로 바뀝니다"))).to_be_visible()


def test_the_first_picture_is_on_a_phones_first_screen(page: Page, open_page: OpenPage) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        open_page("/memory?lang=ko&mem_panel=quantize")
        picture = page.locator(f"{GRID} svg.marks").first
        expect(picture).to_be_visible()
        box = picture.bounding_box()
        assert box is not None
        assert box["y"] + 150 <= 694
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.set_viewport_size({"width": 1366, "height": 768})
