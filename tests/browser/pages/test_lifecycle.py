"""The page lifecycle in Chromium: what Sampling wrote is logged, repeated, compared and exported."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.components.sampling_page import wait_drawn
from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run

TEXT = "Once upon a time"


def test_a_run_of_sampling_is_logged_repeated_compared_and_exported(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    open_page(f"/sampling?sam_max_new_tokens=8&text={TEXT}")
    wait_drawn(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".scored-text .tokens .token")).to_have_count(8)
    wait_run(page)
    page.get_by_role("link", name=re.compile("From idea to product")).first.click()
    expect(page.locator(".st-key-lc_map .station")).not_to_have_count(0)
    wait_run(page)
    page.locator('.st-key-lc_map [data-id="track"]').click()
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("1 run of 1 in the log fits.")).to_be_visible()
    wait_run(page)
    main.get_by_role("button", name="Repeat", exact=True).first.click()
    expect(main.get_by_text("It repeats number 1: the text is the same")).to_be_visible()
    wait_run(page)
    expect(page.locator(".st-key-lc_changes .tagged-text mark")).to_have_count(0)
    expect(main.get_by_text("(100 % of the longer text)")).to_be_visible()
    page.locator(".st-key-lc_thumb_up button").click()
    wait_run(page)
    with page.expect_download() as download:
        page.locator(".st-key-lc_jsonl button").click()
    path = tmp_path / "log.jsonl"
    download.value.save_as(path)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(row["number"], row["page"], row["repeats"], row["thumb"]) for row in rows] == [
        (2, "lifecycle", 1, "up"), (1, "sampling", 0, ""),
    ]  # fmt: skip
    assert rows[0]["output"] == rows[1]["output"]
    assert {row["prompt"] for row in rows} == {TEXT}


def test_every_page_leads_on_and_home_marks_what_was_opened(page: Page, open_page: OpenPage) -> None:
    open_page("/scaling")
    following = page.locator(".st-key-next_page a")
    expect(following).to_be_visible()
    wait_run(page)
    following.click()
    expect(page).to_have_url(re.compile("/tasks"))
    wait_run(page)
    page.get_by_role("link", name=re.compile("From text to the next token")).first.click()
    expect(page.get_by_test_id("stMain").get_by_text("Opened in this session: 3 of")).to_be_visible()
