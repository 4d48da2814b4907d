"""The page Memory in Chromium: sliders re-weight at once, a real step is measured, a bit is turned over."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run


def url(**link: str) -> str:
    return "/memory?" + urlencode({"lang": "en"} | link)


def total(page: Page) -> str:
    return page.locator(".memory-bars .row.all .value").inner_text()


def test_a_slider_re_weights_at_once_and_the_link_keeps_it(follow: OpenPage) -> None:
    page = follow(url())
    expect(page.locator(".memory-bars .row.all .value")).to_have_text(re.compile(r"\d [MG]B"))
    wait_run(page)
    before = total(page)
    slider = page.locator(".memory-bars input[name=batch]")
    slider.focus()
    for _press in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".memory-bars .row.all .value")).not_to_have_text(before)
    expect(page).to_have_url(re.compile(r"mem_batch=64"))
    wait_run(page)
    now = total(page)
    words = page.get_by_text(re.compile(r"Full training, batch 64, length 64"))
    expect(words).to_contain_text(now)  # the browser's arithmetic is that of Python
    expect(page.locator(".row.peak .segment").first).to_be_visible()


def test_a_real_step_is_measured_beside_the_prediction(follow: OpenPage) -> None:
    page = follow(url(mem_method="lora"))
    wait_run(page)
    page.get_by_role("button", name="Measure a real step").click()
    expect(page.get_by_text(re.compile(r"numbers moved: [\d,]+"))).to_be_visible(timeout=120_000)
    expect(page.locator(".st-key-mem_step_picture").locator("canvas, svg").first).to_be_visible()
    wait_run(page)
    expect(page.get_by_text(re.compile(r"The most, [\d.]+ [MG]B, is there"))).to_be_visible()


def test_a_bit_is_turned_over_and_says_another_number(follow: OpenPage) -> None:
    link = {"mem_panel": "bits", "mem_source": "typed", "mem_format": "float16", "mem_typed": "0.1"}
    page = follow(url(**link))
    bits = page.locator(".weight-bits .bit")
    expect(bits).to_have_count(16)
    wait_run(page)
    expect(page.locator(".weight-bits .says")).to_contain_text("0.0999")
    bits.first.click()
    expect(page.locator(".weight-bits .says")).to_contain_text("−0.0999")  # at once
    wait_run(page)
    expect(page.get_by_text(re.compile(r"-0\.0999755859 in float16"))).to_be_visible()
    bits.nth(1).click()
    wait_run(page)
    expect(page).to_have_url(re.compile(r"mem_typed=-6\.?5?"))
