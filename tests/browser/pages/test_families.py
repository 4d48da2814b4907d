"""The page Families in Chromium: a cell pointed at, the steps of an answer, one job measured and stopped."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run


def url(**link: str) -> str:
    return "/families?" + urlencode({"lang": "en"} | link)


@pytest.fixture
def steps(look_at: OpenPage) -> Page:
    page = look_at(url(fam_panel="cross"))
    expect(picture(page).get_by_role("img")).to_be_visible(timeout=60_000)
    wait_run(page)
    return page


def picture(page: Page) -> Locator:
    return page.locator(".st-key-families_steps .written-steps")


def maps(page: Page) -> Locator:
    return page.locator(".st-key-families_picture .family-maps")


def test_the_slider_steps_through_the_decoder_and_asks_the_server_nothing(steps: Page, seen: Watch) -> None:
    slider = picture(steps).locator("input[type=range]")
    slider.focus()
    slider.evaluate(
        "(node) => { node.value = 1; node.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    seen.sent.clear()
    written = ""
    for step in range(10):
        now = picture(steps).locator("button.token.now")
        expect(now).to_have_count(1)
        written += now.inner_text()
        expect(picture(steps).locator(".told")).to_contain_text(
            f"Step {step + 1}: it writes {now.inner_text()}"
        )
        bars = picture(steps).locator(".bar").first
        expect(bars).to_contain_text(now.inner_text())
        slider.press("ArrowRight")
    assert written == "2026-05-03"
    steps.wait_for_timeout(300)
    assert seen.sent == []


def test_a_cell_pointed_at_says_its_weight_or_that_the_mask_hides_it(steps: Page, seen: Watch) -> None:
    canvas = maps(steps).locator("canvas.map")
    canvas.scroll_into_view_if_needed()
    told = maps(steps).locator(".told")
    canvas.focus()
    seen.sent.clear()
    steps.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(r"^Encoder · .* → .*: 0?\.?\d"))
    for _ in range(7):
        steps.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(r"^Decoder · .*The → The: 1(\.00)?$"))
    steps.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(r"^Decoder · .*hidden by the mask$"))
    assert seen.sent == []


def test_a_phone_shows_the_maps_below_each_other_and_cuts_nothing(steps: Page) -> None:
    steps.set_viewport_size({"width": 390, "height": 844})
    steps.wait_for_timeout(500)
    canvas = maps(steps).locator("canvas.map").bounding_box()
    assert canvas is not None
    assert canvas["width"] <= 390
    assert canvas["height"] > 2 * canvas["width"]
    assert steps.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    steps.set_viewport_size({"width": 1366, "height": 768})


def test_the_job_can_be_stopped(open_page: OpenPage) -> None:
    page = open_page(url(fam_panel="job"))
    # of a run that goes on, the button of the run before may still stand there, disabled
    start, stop = (page.locator(f".st-key-fam_job_{name} button:enabled") for name in ("start", "stop"))
    start.click(timeout=60_000)
    stop.click(timeout=60_000)
    wait_run(page)
    expect(start).to_have_count(1)
    expect(stop).to_have_count(0)
