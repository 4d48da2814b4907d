"""The page From zero in Chromium: a run whose loss falls below a line, stopped, opened on other pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import choose_language, wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
PICTURE, LIVE = ".st-key-pre_losses_picture", ".st-key-pre_live_picture"
PATIENCE_MS = 240_000  # on a machine that does other things


def test_the_first_picture_has_its_lines_and_the_map_follows_the_step(
    page: Page, open_page: OpenPage
) -> None:
    open_page("/pretraining?lang=en")
    for line in ("unigram counts: 4.47", "bigram counts: 3.55", "trigram counts: 2.81"):
        expect(page.locator(PICTURE).get_by_text(line)).to_be_visible()
    expect(page.get_by_text(re.compile("After step 300 a byte of the held-out text costs"))).to_be_visible()
    expect(page.locator(".weight-maps figure canvas")).to_have_count(6)
    page.locator(".weight-maps figure canvas").last.click(position={"x": 4, "y": 100})
    expect(page.locator(".weight-maps .told")).to_contain_text("step 300")
    points = page.locator(".st-key-pre_bytes_picture svg .mark-symbol path")
    expect(points.first).to_be_visible()
    before = points.first.get_attribute("transform")
    slider = page.locator(".st-key-pre_map_en").get_by_role("slider")
    slider.press("Home")
    wait_run(page)
    expect(points.first).not_to_have_attribute("transform", before or "")
    choose_language(page, "한국어")
    expect(page.get_by_text("잡음에서 단어로")).to_be_visible()


def test_a_live_run_falls_below_a_line_and_its_model_opens_elsewhere(page: Page, open_page: OpenPage) -> None:
    open_page("/pretraining?lang=en&pre_steps=60&pre_size=d64")
    page.get_by_role("button", name="Start training").click()
    moves = re.compile(r"Training: step \d+ of 60|Done: 60 steps")  # a tab that is slow may see its end alone
    expect(page.get_by_text(moves)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(LIVE)).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("Done: 60 steps")).to_be_visible(timeout=PATIENCE_MS)
    told = page.get_by_text(re.compile("After step 60 a byte of the held-out text costs .* less than counts"))
    expect(told).to_be_visible()
    expect(page.locator(LIVE).get_by_text("unigram counts: 4.47")).to_be_visible()
    wait_run(page)
    page.get_by_role("button", name="Open in Attention").click()
    expect(page.locator(".attention-map canvas").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile("model=from-zero"))
    expect(page.get_by_text(re.compile("from zero: next byte, English text")).first).to_be_visible()


def test_a_run_on_an_own_text_is_paused_and_stopped(page: Page, open_page: OpenPage) -> None:
    open_page("/pretraining?lang=en&pre_steps=2000&pre_data=own&pre_size=d64")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("The text is empty")).to_be_visible()
    field = page.get_by_label(re.compile("Your text, up to"))
    field.fill("The lamp is weak. The lens is strong. " * 30)
    field.press("Control+Enter")
    wait_run(page)
    page.get_by_role("button", name="Start training").click()
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile(r"Training: step \d+ of 2000"))
    ).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile(r"Paused after step \d+ of 2000"))
    ).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile(r"Stopped after step \d+ of 2000"))
    ).to_be_visible(timeout=PATIENCE_MS)
    wait_run(page)
    page.get_by_role("button", name="Look at it above").click()
    wait_run(page)
    expect(page).to_have_url(re.compile("pre_run="))
