"""The page Retrieval in Chromium: cuts move without the server, documents come in, chunks light up."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import pdfs
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run, wait_sent

MOVE = """(node, value) => {
  node.value = value;
  node.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def url(**link: str) -> str:
    return "/retrieval?" + urlencode({"lang": "en"} | link)


def cuts(page: Page) -> Locator:
    return page.locator(".st-key-ret_cuts")


@pytest.fixture
def chunks(open_page: OpenPage) -> Page:
    """The first panel, with the chunk that the question finds first."""
    page = open_page(url())
    expect(cuts(page).locator(".legend .found")).to_be_visible(timeout=60_000)
    wait_run(page)
    return page


def test_cuts_move_while_dragging_and_the_server_hears_of_it_once(chunks: Page, seen: Watch) -> None:
    page = chunks
    size = cuts(page).locator("input[name=size]")
    said = cuts(page).locator(".said")
    before, n_sent = said.inner_text(), len(seen.sent)
    told = []
    for value in (500, 700, 900, 1_200):
        size.evaluate(MOVE, value)
        page.wait_for_timeout(60)
        told.append(said.inner_text())
    assert len({before, *told}) == 5
    assert len(seen.sent) == n_sent
    size.evaluate("node => node.dispatchEvent(new Event('change', {bubbles: true}))")
    wait_sent(page, seen, n_sent + 1)
    wait_run(page)
    expect(page).to_have_url(re.compile(r"ret_cut=characters-1200-\d+-sentences"))
    assert said.inner_text() == told[-1]
    expect(page.get_by_role("button", name="Embed these chunks")).to_be_visible()


def test_a_chunk_is_chosen_by_a_click_and_by_keys(chunks: Page) -> None:
    page = chunks
    part = cuts(page).locator(".text .part").first
    part.click()
    expect(cuts(page).locator(".said")).to_contain_text("Chunk 1: characters 0 to")
    cuts(page).locator(".text").focus()
    page.keyboard.press("ArrowRight")
    expect(cuts(page).locator(".said")).to_contain_text("Chunk 2:")
    expect(cuts(page).locator(".text .chosen").first).to_be_visible()


def test_a_pdf_is_uploaded_embedded_and_found(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(url())
    file = tmp_path / "zeppelin.pdf"
    file.write_bytes(pdfs.pdf(["The zeppelin of Xanadu costs 77 groats.", "Ask for <b>Zzyzx</b>."]))
    page.locator(".st-key-ret_file_field input[type=file]").set_input_files(file)
    expect(page.locator(".st-key-ret_file_preview")).to_contain_text("2 pages")
    page.get_by_role("button", name="Use this document").click()
    expect(page.get_by_role("button", name="Take out")).to_be_visible(timeout=60_000)
    wait_run(page)
    page.locator(".st-key-ret_panel_choice").get_by_text("Search the chunks", exact=True).click()
    wait_run(page)
    page.locator(".st-key-ret_query input").fill("zeppelin Xanadu")
    page.locator(".st-key-ret_query input").press("Enter")
    wait_run(page)
    first = page.locator(".st-key-ret_lists .column").nth(1).locator(".card").first
    expect(first).to_contain_text("zeppelin.pdf", timeout=60_000)
    expect(first.locator("mark").first).to_be_visible()
    expect(page.locator(".st-key-ret_lists")).to_contain_text("<b>Zzyzx</b>")


def test_a_chunk_lights_up_in_all_lists_and_has_its_neighbours(open_page: OpenPage) -> None:
    page = open_page(url(ret_panel="search"))
    card = page.locator(".st-key-ret_lists .column").nth(0).locator(".card").first
    expect(card).to_be_visible(timeout=60_000)
    wait_run(page)
    card.click()
    wait_run(page)
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(re.compile("^Nearest to:"))).to_be_visible()


def test_the_search_fits_a_phone(open_page: OpenPage) -> None:
    page = open_page(url(ret_panel="search"))
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".st-key-ret_lists .card").first).to_be_visible(timeout=60_000)
    wait_run(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1366, "height": 768})
