"""The page Tasks in Chromium: from a cell of the confusion matrix to an item, edited, and its new answer."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run


def url(**link: str) -> str:
    return "/tasks?" + urlencode({"lang": "en"} | link)


def matrix(page: Page, name: str = "confusion") -> Locator:
    return page.locator(f".st-key-tsk_{name} .confusion")


def cell(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{label}: "))


@pytest.fixture
def sentiment(look_at: OpenPage) -> Page:
    page = look_at(url())
    expect(cell(page, "right: positive, answered: negative")).to_be_visible(timeout=120_000)
    wait_run(page)
    return page


def test_from_a_cell_to_an_item_to_a_new_answer(sentiment: Page) -> None:
    page = sentiment
    wrong = cell(page, "right: positive, answered: negative")
    n = int(wrong.inner_text())
    wrong.click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    items = page.locator(".st-key-tsk_items_list [role=radiogroup] label")
    expect(items).to_have_count(n)
    items.first.click()
    field = page.locator(".st-key-tsk_edit textarea")
    expect(field).to_have_value(re.compile(r"\w"))
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    field.fill("A wonderful evening, I loved every minute of it and I will come back soon.")
    field.press("Control+Enter")
    expect(page.get_by_text("The answer has turned from")).to_be_visible()
    expect(page.get_by_text("Reached.")).to_be_visible()


def test_arrow_keys_move_through_the_matrix_and_enter_chooses(sentiment: Page, seen: Watch) -> None:
    page = sentiment
    first = cell(page, "right: negative, answered: negative")
    first.focus()
    seen.sent.clear()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "right: negative, answered: positive")).to_be_focused()
    page.keyboard.press("ArrowDown")
    last = cell(page, "right: positive, answered: positive")
    expect(last).to_be_focused()
    assert seen.sent == []
    page.keyboard.press("Enter")
    expect(last).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Right: positive, answered: positive.")).to_be_visible()


def test_names_of_the_notes_are_marked_over_the_text(look_at: OpenPage) -> None:
    page = look_at(url(tsk_job="ner"))
    text = page.locator(".st-key-tsk_own_tags .tagged-text")
    expect(text.locator("mark").first).to_contain_text("Apple", timeout=120_000)
    expect(text.locator("mark").nth(1)).to_contain_text("California")
    expect(text.locator(".tokens .label").first).to_have_text("B-ORG")


def test_a_phone_cuts_nothing_and_cells_are_large_enough(sentiment: Page) -> None:
    page = sentiment
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    for button in matrix(page).locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1366, "height": 768})


def test_a_measurement_can_be_stopped(open_page: OpenPage) -> None:
    page = open_page(url(tsk_job="summarization"))
    start, stop = (
        page.locator(f".st-key-tsk_summarization_{name} button:enabled") for name in ("start", "stop")
    )
    start.click(timeout=60_000)
    stop.click(timeout=60_000)
    wait_run(page)
    expect(start).to_have_count(1)
    expect(stop).to_have_count(0)
