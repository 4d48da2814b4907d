"""The sampler in Chromium: a moving slider asks the server nothing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.components.sampling_page import sentence, wait_drawn
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, choose_language, wait_run, wait_sent

SEND_AFTER_S = 0.15  # as in sampler.js

# ---------------------------------------------------------------- on the page


def sliders(page: Page) -> Locator:
    return page.locator(".sampler input[type=range]")


def drag(page: Page, slider: Locator, shares: list[float]) -> None:
    """Press on the slider's handle, move over these shares of its length, stay pressed."""
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    at = float(slider.input_value()) / float(slider.get_attribute("max") or 1)
    page.mouse.move(box["x"] + 8 + at * (box["width"] - 16), y)
    page.mouse.down()
    for share in shares:
        page.mouse.move(box["x"] + share * box["width"], y)


@pytest.fixture
def sampling(look_at: OpenPage) -> Page:
    page = look_at("/sampling")
    wait_drawn(page)
    return page


def test_the_real_distribution_is_shown(sampling: Page) -> None:
    assert sentence(sampling) == (
        "Kept: 8 of 49,152 tokens, together 75.1 % of the probability. Entropy of the draw: 1.25 bits."
    )
    first = sampling.locator(".rows svg > g", has_text="London")
    expect(first).to_contain_text("·London")
    sampling.locator(".rows").focus()
    detail = sampling.locator(".sampler .detail").inner_text()
    own = re.search(r"own p (\d\.\d+)", detail)
    assert own
    assert float(own[1]) == pytest.approx(0.589, abs=0.005)


@pytest.mark.parametrize(("name", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_the_picture_can_be_saved(name: str, magic: bytes, sampling: Page) -> None:
    with sampling.expect_download() as download:
        sampling.get_by_role("button", name=f"Picture ({name})").click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(magic)
    assert len(content) > 10_000
    if name == "SVG":
        assert "·London" in content.decode()


def test_dragging_repaints_all_the_time_and_sends_only_the_value_of_the_release(
    sampling: Page, seen: Watch
) -> None:
    before, told = len(seen.sent), set()
    for index in range(4):
        drag(sampling, sliders(sampling).nth(index), [])
        for share in np.linspace(0.1, 0.8, 15):
            box = sliders(sampling).nth(index).bounding_box()
            assert box is not None
            sampling.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            told.add(sentence(sampling))
        assert len(seen.sent) - before == 0
        sampling.mouse.up()
        wait_sent(sampling, seen, before + 1)
        wait_run(sampling)
        assert len(seen.sent) - before == 1
        before = len(seen.sent)
    assert len(told) > 20
    value = sampling.locator(".sampler input[type=number]").nth(0).input_value()
    assert value != "1"
    expect(sampling).to_have_url(re.compile(f"sam_temperature={value}"))
    sampling.get_by_role("button", name="Show the code").first.click()
    expect(sampling.get_by_text(f"temperature = {value}", exact=False).first).to_be_visible()


def test_a_release_sends_little_and_survives_a_walk_to_another_page_and_to_korean(
    seen: Watch, open_page: OpenPage
) -> None:
    page = open_page("/sampling")
    wait_drawn(page)
    assert sum(map(len, seen.received)) > 70_000  # the packed logits, once
    wait_run(page)
    seen.received.clear()
    temperature = page.locator(".sampler input[type=number]").nth(0)
    for value in ("1.3", "1.7", "0.4"):
        temperature.fill(value)
        page.keyboard.press("Enter")
        wait_run(page)
    assert sum(map(len, seen.received)) < 3 * 40_000
    assert max(map(len, seen.received)) < 40_000  # and never again
    page.get_by_test_id("stSidebarNav").get_by_role("link").first.click()
    wait_run(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling").click()
    wait_run(page)
    expect(temperature).to_have_value("0.4")
    temperature.fill("1")
    page.keyboard.press("Enter")
    choose_language(page, "한국어")
    expect(page.locator(".sampler .sentence")).to_contain_text("토큰 49,152개 가운데 8개가 남았고")
    expect(page.locator(".sampler .control .name").first).to_have_text("온도")


def test_a_link_brings_the_settings_back_and_so_does_the_back_button(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_temperature=0&sam_top_k=12&sam_top_p=0.5&sam_min_p=0.25")
    wait_drawn(page)
    numbers = page.locator(".sampler input[type=number]")
    expect(page.locator(".sampler .sentence")).to_contain_text("Greedy: kept 1 of 49,152")
    assert [numbers.nth(i).input_value() for i in range(4)] == ["0", "12", "0.5", "0.25"]
    numbers.nth(0).fill("2")
    page.keyboard.press("Enter")
    wait_run(page)
    expect(page).to_have_url(re.compile("sam_temperature=2"))
    page.go_back()
    wait_run(page)
    expect(numbers.nth(0)).to_have_value("0")


def test_everything_is_reached_by_keyboard(sampling: Page, seen: Watch) -> None:
    temperature = sliders(sampling).nth(0)
    temperature.focus()
    before, began = len(seen.sent), time.monotonic()
    for _ in range(5):
        sampling.keyboard.press("ArrowRight")
    pauses = int((time.monotonic() - began) / SEND_AFTER_S)  # on a busy machine keys come slowly
    expect(sampling.locator(".sampler input[type=number]").nth(0)).to_have_value("1.05")
    wait_run(sampling)
    assert len(seen.sent) - before <= 2 + pauses
    assert temperature.get_attribute("aria-label") == "Temperature"
    rows = sampling.get_by_role("listbox", name="The most probable next tokens")
    rows.focus()
    sampling.keyboard.press("ArrowDown")
    expect(sampling.locator(".sampler .detail")).to_contain_text("2. ·the")
    sampling.keyboard.press("End")
    expect(sampling.locator(".sampler .detail")).to_contain_text("64. ")
    sampling.keyboard.press("Tab")
    assert sampling.evaluate("() => document.activeElement.shadowRoot.activeElement.textContent") == "Reset"


def test_three_libraries_keep_other_tokens_with_the_same_settings(page: Page, follow: OpenPage) -> None:
    follow("/sampling?sam_temperature=1.6&sam_top_p=0.8&sam_min_p=0.01")
    wait_drawn(page)
    buttons = page.locator(".sampler .orders [role=radio]")
    kept = [int(re.sub(r"\D", "", text.split(":")[1])) for text in buttons.all_inner_texts()]
    assert kept[0] > 5 * kept[2], "llama.cpp cuts before it heats"
    for at, n_kept in enumerate(kept):
        buttons.nth(at).click()
        expect(page.locator(".sampler .sentence")).to_contain_text(f"Kept: {n_kept:,} of")
        marks = page.locator(".sampler .rows svg > g:visible").evaluate_all(
            "(rows, at) => rows.flatMap((row) => [...row.querySelectorAll('[data-kept]')].slice(at, at + 1))"
            ".filter((mark) => mark.dataset.kept === 'true').length",
            at,
        )
        assert marks == min(n_kept, 64)
    steps = page.locator(".sampler .chain li b").all_inner_texts()
    assert [step.split(" ")[0] for step in steps] == ["Top-k", "Typical-p", "Top-p", "Min-p", "Temperature"]
    expect(page).to_have_url(re.compile("sam_order=llama.cpp"))


def test_a_click_on_a_token_shows_what_the_model_expected_and_asks_nobody(
    page: Page, follow: OpenPage, seen: Watch
) -> None:
    follow("/sampling?sam_panel=text&text=The capital of England is London")
    token = page.locator(".scored-text .tokens .token")
    expect(token).to_have_count(6)
    before = len(seen.sent)
    token.last.click()
    detail = page.locator(".scored-text .detail")
    expect(detail).to_contain_text(re.compile(r"·London: 0\.7\d bits, p = 0\.58\d\d, rank 1"))
    expect(detail.locator(".row.own")).to_contain_text(re.compile(r"·London.*58\.\d %"))
    page.keyboard.press("Home")
    expect(detail).to_contain_text("The: the first token.")
    page.keyboard.press("ArrowRight")
    expect(detail).to_contain_text("·capital: ")
    assert len(seen.sent) == before
