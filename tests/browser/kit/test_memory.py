"""What a tab remembers: settings from page to page, by the menu, by back and forward, over a reload."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.paths import site_root
from playground.ui import text
from tests.browser.conftest import TIMEOUT_MS, VIEWPORT, OpenPage
from tests.browser.reader import choose_language, wait_run, watch

SETTINGS = {
    "sampling": "sam_temperature=2&sam_top_k=40&sam_panel=compare&sam_b_temperature=1.5",
    "attention": "att_off=0.1_3.2&att_head=3.2&att_sort=true&att_panel=row",
    "positions": "pos_waves_n_ctx=64&pos_clocks_m=7&pos_seed=5",
    "tokenization": "tok_special=true&tok_merges=120&tok_word=cats",
}


def address(page: Page) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(page.url)
    return parts.path.strip("/") or "home", parse_qs(parts.query)


def go_to(page: Page, name: str, language: str = "en") -> None:
    lesson = text.parse_lesson((site_root() / f"assets/lessons/{language}/{name}.md").read_text("utf-8"))
    page.get_by_test_id("stSidebarNav").get_by_text(lesson.title, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(lesson.title)
    wait_run(page)


def settled(page: Page, name: str, query: dict[str, list[str]]) -> None:
    """The page and its settings are in the address bar, and stay there."""
    deadline = time.monotonic() + TIMEOUT_MS / 1_000
    while address(page) != (name, query) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    expect(
        page.get_by_test_id("stAlertDynamicIcon").get_by_text("lightbulb")
    ).to_be_visible()  # drawn to its end
    expect(page.locator("[class*=st-key-url_of_] input").first).to_be_attached()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    wait_run(page)
    assert address(page) == (name, query)


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_follow_the_reader_by_menu_and_by_the_browsers_buttons(
    name: str, browser: Browser, server_url: str
) -> None:
    # A tab of its own: a history holds 50 steps, and that of the tests is full.
    page = browser.new_page(locale="en-US", viewport=VIEWPORT)
    seen = watch(page)
    page.goto(f"{server_url}/{name}?lang=en&{SETTINGS[name]}")
    query = parse_qs(f"lang=en&{SETTINGS[name]}")
    settled(page, name, query)
    before = page.evaluate("history.length")
    go_to(page, "home")
    assert address(page) == ("home", {"lang": ["en"]})
    assert page.evaluate("history.length") == before + 1, "one click is one step"
    go_to(page, name)
    settled(page, name, query)
    assert page.evaluate("history.length") == before + 2
    page.go_back()
    settled(page, "home", {"lang": ["en"]})
    page.go_back()
    settled(page, name, query)
    page.go_forward()
    settled(page, "home", {"lang": ["en"]})
    page.go_forward()
    settled(page, name, query)
    choose_language(page, "한국어")
    settled(page, name, query | {"lang": ["ko"]})
    page.reload()
    settled(page, name, query | {"lang": ["ko"]})
    assert seen.troubles == []
    page.close()


def test_a_slider_let_go_is_found_again_by_back_and_nobody_else_has_it(
    open_page: OpenPage, browser: Browser, server_url: str
) -> None:
    page = open_page("/sampling?lang=en")
    temperature = page.locator(".sampler input[type=number]").first
    temperature.fill("2")
    temperature.press("Enter")
    expect(page).to_have_url(re.compile("sam_temperature=2"))
    wait_run(page)
    go_to(page, "attention")
    page.go_back()
    settled(page, "sampling", {"lang": ["en"], "sam_temperature": ["2"]})
    expect(temperature).to_have_value("2")
    page.go_back()
    settled(page, "sampling", {"lang": ["en"]})
    expect(temperature).to_have_value("1")
    page.go_forward()
    settled(page, "sampling", {"lang": ["en"], "sam_temperature": ["2"]})
    other = browser.new_page(locale="en-US")
    other.goto(f"{server_url}/sampling?lang=en")
    expect(other.locator(".sampler input[type=number]").first).to_have_value("1")
    go_to(other, "attention")
    go_to(other, "sampling")
    settled(other, "sampling", {"lang": ["en"]})
    other.context.close()


def test_reset_puts_the_page_back_and_the_browser_shows_it(open_page: OpenPage) -> None:
    page = open_page("/sampling?lang=en&sam_temperature=2&sam_panel=compare&sam_b_top_k=7&text=Hello there")
    expect(page.locator(".st-key-sam_b_top_k input")).to_have_value("7")
    page.get_by_role("button", name="Reset this page").click()
    settled(page, "sampling", {"lang": ["en"], "text": ["Hello there"]})
    expect(page.locator(".sampler input[type=number]").first).to_have_value("1")
    expect(page.locator(".st-key-sam_start")).to_be_visible()
    page.get_by_role("radio", name="A and B").click()
    expect(page.locator(".st-key-sam_b_top_k input")).to_have_value("0")
    page.go_back()
    settled(page, "sampling", {"lang": ["en"], "text": ["Hello there"]})


def solve_by_trying(page: Page) -> None:
    """The sampling page's third task has three answers."""
    solved = page.get_by_text("1 of 3 solved")
    for answer in ("fewer than 100", "100 to 4,999", "5,000 or more"):
        page.get_by_test_id("stRadio").get_by_text(answer).click()
        wait_run(page)
        if solved.count():
            break
    expect(solved).to_be_visible()


def test_solved_tasks_outlive_a_reload_even_a_double_one_and_no_other_tab_has_them(
    open_page: OpenPage, server_url: str
) -> None:
    page = open_page("/sampling?lang=en")
    solve_by_trying(page)
    with page.expect_websocket():
        page.reload(wait_until="commit")
    page.reload()  # before the page could say what it is now
    expect(page.get_by_text("1 of 3 solved")).to_be_visible()
    expect(page.get_by_text("Solved before")).to_be_visible()
    wait_run(page)
    kept = page.evaluate("sessionStorage.getItem('playground-session')")
    other = page.context.new_page()
    copied = f"self === top && sessionStorage.setItem('playground-session', '{kept}')"
    other.add_init_script(copied)  # as in a duplicated tab
    other.goto(f"{server_url}/sampling?lang=en")
    expect(other.get_by_text("0 of 3 solved")).to_be_visible()
    expect(other.get_by_role("button", name="Copy the link")).to_be_visible()
    assert other.evaluate("sessionStorage.getItem('playground-session')") not in (None, "", kept)
    other.close()
    go_to(page, "attention")
    go_to(page, "sampling")
    expect(page.get_by_text("1 of 3 solved")).to_be_visible()


def test_a_run_on_an_own_file_and_its_adapter_outlive_a_reload(open_page: OpenPage, tmp_path: Path) -> None:
    rows = tmp_path / "parrots.jsonl"
    rows.write_text("".join(f'{{"instruction": "Say {n}", "response": "Squawk {n}!"}}\n' for n in range(12)))
    page = open_page("/finetuning?lang=en&fin_set=own&fin_steps=2&fin_batch=2")
    page.locator("[class*=st-key-fin_upload] input[type=file]").set_input_files(rows)
    page.get_by_role("button", name="Train on these rows").click()
    expect(page.get_by_text("12 rows were read.")).to_be_visible()
    wait_run(page)
    page.get_by_role("button", name="Start training").click()
    told = page.get_by_test_id("stMarkdown").filter(has_text=re.compile("parrots.* · "))
    expect(told).to_contain_text("Done: 2 steps", timeout=2 * TIMEOUT_MS)  # as the last, behind others' work
    done = page.get_by_test_id("stMain").get_by_text(re.compile("parrots.*Done: 2 steps"))
    wait_run(page)
    for _again in range(2):
        page.reload()
        expect(done).to_be_visible()
        expect(page.get_by_text("12 rows were read.")).to_be_visible()
        wait_run(page)
        page.locator("[class*='st-key-model_choice'] input").click()
        expect(page.get_by_role("option", name=re.compile("parrots"))).to_be_visible()
        page.keyboard.press("Escape")
    go_to(page, "home")
    go_to(page, "finetuning")
    expect(done).to_be_visible()
