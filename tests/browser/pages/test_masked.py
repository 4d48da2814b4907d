"""The page Masked in Chromium: a click masks, another shows; own pairs are uploaded, measured, stopped."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run

TEXT = "The cat sat on the mat."


def url(**link: str) -> str:
    return "/masked?" + urlencode({"lang": "en", "text": TEXT} | link)


def chip(page: Page, label: str) -> Locator:
    return page.locator(".st-key-mas_chips button").filter(has_text=label).first


@pytest.fixture
def masked(follow: OpenPage) -> Page:
    page = follow(url())
    expect(page.locator(".st-key-mas_answers svg, .st-key-mas_answers canvas").first).to_be_visible()
    wait_run(page)
    return page


def test_a_click_masks_a_token_and_the_next_one_shows_it(masked: Page) -> None:
    page = masked
    mat = chip(page, "mat")
    expect(mat).to_have_attribute("aria-pressed", "false")
    before = page.locator(".st-key-mas_chips button[aria-pressed=true]").count()
    mat.click()
    expect(mat).to_have_attribute("aria-pressed", "true")  # at once, before the model has answered
    wait_run(page)
    expect(page.get_by_text(re.compile(rf"^Mask {before + 1}:")).first).to_be_visible()
    expect(page).to_have_url(re.compile(r"mas_at=\d+\.\d+"))
    mat.focus()
    page.keyboard.press("Enter")
    expect(mat).to_have_attribute("aria-pressed", "false")
    wait_run(page)
    expect(page.get_by_text(re.compile(rf"^Mask {before + 1}:"))).to_have_count(0)


def test_quick_clicks_are_all_kept(masked: Page) -> None:
    page = masked
    for label in ("cat", "sat", "mat"):
        chip(page, label).click()
    wait_run(page)
    for label in ("cat", "sat", "mat"):
        expect(chip(page, label)).to_have_attribute("aria-pressed", "true")


def test_own_pairs_are_uploaded_measured_and_counted(follow: OpenPage, tmp_path: Path) -> None:
    page = follow(url(mas_panel="pairs", mas_pairs_of="mine"))
    file = tmp_path / "pairs.csv"
    file.write_text(
        "group,sentence_a,sentence_b\n"
        "<b>animals</b>,The cat sat.,The cats sits.\n"
        "<b>animals</b>,A dog barks.,A dog bark.\n",
        "utf-8",
    )
    page.locator(".st-key-mas_pairs_upload_field input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Use these pairs").click()
    expect(page.get_by_text("2 pairs were read.").last).to_be_visible()
    page.get_by_role("button", name="Measure the other pair").click()
    expect(page.get_by_text(re.compile(r"^<b>animals</b>: A is preferred in \d of 2 pairs"))).to_be_visible()
    wait_run(page)


def test_the_machine_shows_every_fate_on_a_phone_without_a_cut(look_at: OpenPage) -> None:
    page = look_at(url(mas_objective="mlm"))
    page.set_viewport_size({"width": 390, "height": 844})
    example = page.locator(".st-key-mas_example .pieces").first
    expect(example).to_be_visible()
    wait_run(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    legend = page.locator(".st-key-mas_example .legend")
    expect(legend).to_contain_text("masked")
    page.set_viewport_size({"width": 1366, "height": 768})
