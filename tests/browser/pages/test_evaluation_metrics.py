"""Metrics on the page Evaluation in Chromium: typed and underlined, an upload, a board of two readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import TIMEOUT_MS, VIEWPORT, OpenPage
from tests.browser.reader import wait_run, watch

BOARD = "/evaluation?lang=en&ev_panel=board&ev_board_task=door"


def field(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} input")


def underlined(page: Page, order: int) -> Locator:
    """Tokens of the candidate that stand in a matched n-gram of this length."""
    return page.locator(".st-key-ev_bleu .tokens").first.locator(f".token:has(.mark.n{order})")


def test_matches_are_underlined_as_the_reader_types(follow: OpenPage) -> None:
    page = follow("/evaluation?lang=en&ev_panel=bleu&ev_reference=the+cat+is+on+the+mat&ev_reference_2=+")
    candidate = field(page, "ev_candidate")
    candidate.fill("the the the the the the the")  # no Enter: a pause is enough
    expect(page.locator(".st-key-ev_bleu .token.clipped")).to_have_count(5)
    expect(underlined(page, 1)).to_have_count(2)
    expect(page.locator(".st-key-ev_bleu .factor").first).to_contain_text("2 / 7")
    candidate.press_sequentially(" cat is")
    expect(underlined(page, 3)).to_have_text(["the", "cat", "is"])
    expect(candidate).to_be_focused()
    expect(candidate).to_have_value("the the the the the the the cat is")


def test_the_common_subsequence_is_drawn_from_token_to_token(follow: OpenPage) -> None:
    page = follow(
        "/evaluation?lang=en&ev_panel=rouge&ev_candidate=the+gunman+police+killed"
        "&ev_reference=police+killed+the+gunman&ev_reference_2=+"
    )
    lines = page.locator(".st-key-ev_rouge .lines line")
    expect(lines).to_have_count(2)
    above, below = page.locator(".st-key-ev_rouge .tokens").all()
    for at, (i, j) in enumerate([(0, 2), (1, 3)]):
        box = lines.nth(at).bounding_box()
        first, second = (row.locator(".token").nth(n).bounding_box() for row, n in ((above, i), (below, j)))
        assert box
        assert first
        assert second
        ends = sorted([first["x"] + first["width"] / 2, second["x"] + second["width"] / 2])
        assert [box["x"], box["x"] + box["width"]] == pytest.approx(ends, abs=3)


def test_own_predictions_are_uploaded_and_scored(follow: OpenPage, tmp_path: Path) -> None:
    page = follow("/evaluation?lang=en&ev_panel=own")
    file = tmp_path / "labels.csv"
    rows = "good,good\nbad,bad\ngood,good\nbad,good\nbad,bad\ngood,<b>odd</b>\n"
    file.write_text(f"label,predicted\n{rows}", "utf-8")
    upload = page.locator(".st-key-ev_predictions_upload_field input[type=file]")
    upload.set_input_files(file)
    page.get_by_role("button", name="Score this file").click()
    cell = page.locator(
        ".st-key-ev_confusion button[data-place='1 0'], .st-key-ev_confusion button[data-place='0 1']"
    )
    expect(cell.first).to_be_visible()
    page.get_by_role("button", name=re.compile("right: bad, answered: good")).click()
    wait_run(page)
    expect(page.get_by_text("rows of the file 5.")).to_be_visible()
    file.write_text(
        "reference,candidate\nA cat sat on the mat.,A cat sat on the mat.\n,x\nIt rains.,\n", "utf-8"
    )
    page.locator(".st-key-ev_predictions_upload_field input[type=file]").set_input_files(file)
    expect(page.get_by_text("Row 3 of the file cannot be used: it has no reference.")).to_be_visible()
    page.get_by_role("button", name="Score this file").click()
    expect(page.get_by_text("The weakest is row 4 of the file.")).to_be_visible()
    expect(
        page.locator(".st-key-ev_own_histogram canvas, .st-key-ev_own_histogram svg").first
    ).to_be_visible()


@pytest.fixture
def neighbour(browser: Browser, server_url: str) -> Iterator[Page]:
    """Another reader of the class, with a browser of their own."""
    other = browser.new_context(viewport=VIEWPORT, locale="en-US")
    other.set_default_timeout(TIMEOUT_MS)
    page = other.new_page()
    seen = watch(page)
    page.goto(server_url + BOARD)
    wait_run(page)
    yield page
    other.close()
    assert not seen.troubles


def row(page: Page, text: str) -> Locator:
    return page.locator(".st-key-ev_board li").filter(has_text=text)


def test_two_readers_see_one_anothers_answers_and_votes(open_page: OpenPage, neighbour: Page) -> None:
    page = open_page(BOARD)
    text = "Do not shut it <b>now</b>, the baby sleeps."
    field(page, "ev_answer").fill(text)
    field(page, "ev_answer").press("Enter")
    expect(page.get_by_text(re.compile(r"Your answer: BLEU \d"))).to_be_visible()
    page.get_by_role("button", name="Post it").click()
    expect(row(page, text).get_by_role("button", name="Withdraw")).to_be_visible()
    expect(field(page, "ev_answer")).to_have_value("")
    expect(row(neighbour, text)).to_be_visible()  # by itself, some seconds later
    expect(row(neighbour, text).get_by_role("button", name="Withdraw")).to_have_count(0)
    vote = row(neighbour, text).get_by_role("button", name=re.compile("A good answer"))
    vote.click()
    expect(vote).to_have_attribute("aria-pressed", "true")
    expect(vote).to_have_text("▲ 1")
    expect(row(page, text).get_by_role("button", name=re.compile("A good answer"))).to_have_text("▲ 1")
    vote.click()  # one vote, and it can be taken back
    expect(vote).to_have_text("▲ 0")
    row(page, text).get_by_role("button", name="Withdraw").click()
    for reader in (page, neighbour):
        expect(row(reader, text)).to_have_count(0)
        expect(reader.locator(".st-key-ev_board li")).to_have_count(2)
