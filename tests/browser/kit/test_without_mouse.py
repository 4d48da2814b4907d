"""Readers without a mouse, without sight, or who want no motion: the same pictures, the same effects."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run

ADD_BAR = """(words) => {
  const bar = Object.assign(document.createElement("div"), { id: "bar", textContent: words });
  bar.dataset.testid = "stProgress";
  document.querySelector("[data-testid=stMain]").append(bar);
}"""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_token_is_masked_by_keys_as_by_a_click(follow: OpenPage) -> None:
    page = follow("/masked?lang=en")
    second = page.locator(".st-key-mas_chips button").nth(1)
    before = second.get_attribute("aria-pressed")
    second.click()
    clicked = second.get_attribute("aria-pressed")
    assert clicked != before
    second.click()
    wait_run(page)
    page.locator(".st-key-mas_chips button").first.focus()
    press(page, "ArrowRight", "Space")
    expect(second).to_be_focused()
    assert second.get_attribute("aria-pressed") == clicked
    wait_run(page)


def test_a_token_of_the_rows_is_selected_by_keys_as_by_a_click(follow: OpenPage) -> None:
    page = follow("/tokenization?lang=en")
    chips = page.locator(".st-key-tok_rows .chip[data-row='0']")
    chips.nth(1).click()
    expect(page).to_have_url(re.compile(r"token=1"))
    expect(chips.nth(1)).to_have_attribute("aria-selected", "true")
    wait_run(page)
    chips.first.focus()
    press(page, "ArrowRight", "ArrowRight", "Enter")
    expect(chips.nth(2)).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile(r"token=2"))
    wait_run(page)


def test_a_chunk_of_the_theatre_is_selected_by_keys_as_by_a_click(open_page: OpenPage) -> None:
    page = open_page("/retrieval?lang=en&ret_panel=theatre&ret_vectors=ours&ret_index=flat")
    items = page.locator(".theatre .items button")
    items.first.wait_for()
    wait_run(page)
    item, chunk = items.nth(1), page.locator(".theatre .chunk")  # the second nearest
    item.click()
    clicked = chunk.text_content() or ""
    page.locator(".theatre canvas").first.focus()
    press(page, "Escape")
    expect(item).not_to_have_attribute("aria-pressed", "true")
    press(page, "Home", "ArrowRight")
    expect(chunk).to_have_text(clicked)
    press(page, "Escape")
    item.focus()
    press(page, "Enter")
    expect(chunk).to_have_text(clicked)
    expect(item).to_be_focused()  # drawn anew, and not lost


def test_arrow_keys_read_the_maps_of_families(follow: OpenPage) -> None:
    page = follow("/families?lang=en")
    told = page.locator(".st-key-families_picture .family-maps .told")
    page.locator(".st-key-families_picture canvas.map").focus()
    before = told.inner_text()
    press(page, "ArrowRight")
    first = told.inner_text()
    press(page, "ArrowDown")
    assert len({before, first, told.inner_text()}) == 3


def test_nothing_plays_where_the_reader_wants_no_motion(page: Page, open_page: OpenPage) -> None:
    open_page("/tokenization?lang=en")
    lab = page.locator(".st-key-bpe_lab .lab")
    expect(lab.locator("button.play")).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    position = lab.locator(".position").inner_text()
    lab.locator("button.step").click()
    expect(lab.locator(".position")).not_to_have_text(position)
    expect(lab.locator("button.play")).to_be_hidden()


def test_what_takes_long_is_said_once_and_its_end_too(look_at: OpenPage) -> None:
    page = look_at("/?lang=ko")
    spoken = page.locator("body > [role=status]")
    page.evaluate(ADD_BAR, "3 / 7")
    expect(spoken).to_have_text("계산하고 있습니다: 3 / 7")
    page.evaluate("document.querySelector('#bar').remove()")
    expect(spoken).to_have_text("끝났습니다. 결과가 화면에 있습니다")


def test_a_bar_that_stays_is_no_computation(look_at: OpenPage) -> None:
    """An ended run keeps its bar, and a poll shows its shares as bars."""
    page = look_at("/?lang=ko")
    spoken = page.locator("body > [role=status]")
    page.evaluate(ADD_BAR, "3 / 7")
    expect(spoken).to_have_text("계산하고 있습니다: 3 / 7")
    expect(spoken).to_have_text("끝났습니다. 결과가 화면에 있습니다")
    expect(page.locator("#bar")).to_have_text("3 / 7")
