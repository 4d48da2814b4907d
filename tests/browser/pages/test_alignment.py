"""The page of preferences in Chromium: twelve votes -> reward model -> DPO -> samples before and after."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from playground.core.preferences.shipped import shipped_pairs
from playground.core.preferences.sides import mixed
from playground.ui.alignment.pairs import Shown
from tests.browser.reader import wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
PATIENCE_MS = 400_000  # on a machine that does other things


def panel(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()
    wait_run(page)


def test_from_twelve_votes_to_what_is_written_before_and_after(page: Page, open_page: OpenPage) -> None:
    open_page("/alignment?lang=en&al_dpo_steps=6")
    main = page.get_by_test_id("stMain")
    for n, pair in enumerate(mixed(shipped_pairs("en"))[:12]):
        expect(main.get_by_text(f"{n} of 48 voted on")).to_be_visible()
        expect(page.locator(".answer-cards .prompt")).to_contain_text(pair.prompt)
        expect(page.locator(".answer-cards .total").first).to_contain_text("nats")
        page.keyboard.press("2" if Shown(pair).is_turned else "1")
        wait_run(page)
    expect(main.get_by_text("12 of 48 voted on")).to_be_visible()
    expect(main.get_by_text(re.compile(r"is preferred to .* with probability \d+ %"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Votes as .jsonl").click()
    assert download.value.path().read_text("utf-8").count("\n") == 12

    panel(page, "Reward model")
    expect(main.get_by_text("pairs to learn from: 9, held out: 3")).to_be_visible()
    page.get_by_role("button", name="Train the reward model").click()
    told = main.get_by_text(
        re.compile(r"puts \S+ of 3 held-out pairs in the right order: \d+ % \(95 % interval")
    )
    expect(told).to_be_visible(timeout=PATIENCE_MS)
    wait_run(page)
    expect(page.locator(".st-key-al_tokens svg .mark-symbol path").first).to_be_visible(timeout=PATIENCE_MS)
    expect(main.get_by_text(re.compile("The reward model prefers"))).to_be_visible()

    panel(page, "DPO")
    page.locator(".st-key-al_dpo_start button").click()
    expect(main.get_by_text("Done: 6 steps")).to_be_visible(timeout=PATIENCE_MS)
    wait_run(page)
    panel(page, "Before and after")
    expect(main.get_by_text("before", exact=True).first).to_be_visible()
    expect(main.get_by_text("after step 6", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
