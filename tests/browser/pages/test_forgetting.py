"""Fine-tuning against forgetting in Chromium: the measured picture, and a pair that trains live."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
PATIENCE_MS = 240_000  # on a machine that does other things
PANEL = (
    "/finetuning?fin_panel=forgetting&fin_set=sentiment&fin_steps=2&fin_rate=0.01&fin_batch=2&fin_remedy=ewc"
)


def test_a_pair_trains_side_by_side(page: Page, open_page: OpenPage) -> None:
    open_page(f"{PANEL}&lang=en")
    picture = page.locator(".st-key-fin_forget_picture")
    expect(picture.locator("svg").first).to_be_visible()
    expect(picture.locator("svg .mark-symbol path").nth(9)).to_be_attached()
    page.get_by_text("Lost, step by step", exact=True).click()
    wait_run(page)
    expect(picture.locator("svg .mark-line path")).to_have_count(5)  # plain and four remedies
    page.get_by_role("button", name="Train both").click()
    expect(page.get_by_text("Done: 2 steps").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile("On ordinary prose the loss changed by .* with EWC"))).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_text(re.compile("the remedy adds .* nats to the loss"))).to_be_visible()
    for text in ("general", "held_out"):
        lines = page.locator(f".st-key-fin_pair_{text} svg .mark-line path")
        expect(lines).to_have_count(2)  # plain and the remedy


def test_on_a_phone_the_picture_is_as_wide_as_the_page(page: Page, open_page: OpenPage) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(f"{PANEL}&lang=ko")
    picture = page.locator(".st-key-fin_forget_picture svg.marks").first
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["width"] >= 300
