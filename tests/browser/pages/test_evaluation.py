"""The page Evaluation in Chromium: the court's sliders, a longer text read and stopped, a judge, a phone."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run

PERPLEXITY = "Perplexity (by the token)"


def url(**link: str) -> str:
    return "/evaluation?" + urlencode({"lang": "en"} | link)


def number(page: Page, label: str) -> float:
    box = page.get_by_test_id("stMetric").filter(has_text=label)
    return float(box.get_by_test_id("stMetricValue").inner_text().replace(",", ""))


def tokens(page: Page) -> Locator:
    return page.locator(".st-key-ev_court_text .tokens .token")


@pytest.fixture
def court(follow: OpenPage) -> Page:
    page = follow(url())
    expect(tokens(page).first).to_be_visible()
    wait_run(page)
    return page


def test_the_first_visit_shows_a_coloured_text_and_a_token_tells_what_was_expected(court: Page) -> None:
    page = court
    assert tokens(page).count() > 60
    one = tokens(page).filter(has_text="station").first
    one.click()
    expect(one).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-ev_court_text .detail")).to_contain_text(re.compile(r"station: [\d.]+ bits"))
    for key in ("ev_court_running", "ev_windows", "ev_models"):
        expect(page.locator(f".st-key-{key} :is(svg, canvas)").first).to_be_visible()


def test_more_context_and_more_overlap_lower_the_perplexity_of_the_same_text(court: Page) -> None:
    page = court
    before = number(page, PERPLEXITY)
    stride = page.locator(".st-key-ev_stride input[type=range]")
    stride.focus()
    page.keyboard.press("ArrowLeft")
    wait_run(page)
    expect(page).to_have_url(re.compile("ev_stride=8"))
    overlapping = number(page, PERPLEXITY)
    assert overlapping < before
    page.locator(".st-key-ev_context input[type=range]").focus()
    for _step in range(2):
        page.keyboard.press("ArrowRight")
    wait_run(page)
    expect(page).to_have_url(re.compile("ev_context=64"))
    assert number(page, PERPLEXITY) < overlapping
    expect(page.get_by_text("Reached.")).to_be_visible()  # a task: windows that overlap


def test_a_file_is_read_as_the_longer_text_at_a_click_and_can_be_stopped(
    follow: OpenPage, tmp_path: Path
) -> None:
    page = follow(url(ev_text="long"))
    page.get_by_text("The longer text", exact=True).click()
    file = tmp_path / "mine.txt"
    file.write_text("The <b>cat</b> sat on the mat, and 고양이 slept. " * 100, "utf-8")
    page.locator(".st-key-ev_text_upload_field input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Read them").click()
    page.get_by_role("button", name="Stop").click()
    wait_run(page)
    expect(page.get_by_role("button", name="Read them")).to_be_enabled()
    expect(page.get_by_text(re.compile("of the text ha(s|ve) not been read yet"))).to_be_visible()


def test_a_judge_is_asked_about_own_answers(follow: OpenPage) -> None:
    page = follow(url(ev_panel="judge", ev_judge_of="mine"))
    told = page.get_by_text(re.compile("The verdict turns with the order|In both orders answer"))
    expect(told.first).to_be_visible()
    before = told.first.inner_text()
    page.get_by_label("Answer A").fill("<img src=x onerror=alert(1)> **30**")
    page.get_by_label("Answer A").press("Control+Enter")
    wait_run(page)
    expect(told.first).to_be_visible()
    assert told.first.inner_text() != before
    page.get_by_text("What the judge reads").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)> **30**").last).to_be_visible()


@pytest.mark.parametrize("panel", ["perplexity", "bleu", "rouge", "glue", "board", "judge", "own"])
def test_a_panel_on_a_phone_is_not_cut(panel: str, look_at: OpenPage) -> None:
    page = look_at(url(lang="ko", ev_panel=panel))
    page.set_viewport_size({"width": 390, "height": 844})
    wait_run(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth")
    low = page.evaluate(
        """() => [...document.querySelectorAll("[data-testid=stMain] button")]
        .filter((one) => one.offsetParent && one.closest("[data-testid=stButtonGroup]"))
        .filter((one) => one.getBoundingClientRect().height < 32).length"""
    )
    assert low == 0
