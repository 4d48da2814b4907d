"""The page Agents in Chromium: a recorded run with its prompts, and a run of the real model, turn by turn."""

from __future__ import annotations

from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run


def test_a_prompt_opens_at_a_click(follow: OpenPage) -> None:
    page = follow("/agents?lang=en")
    cards = page.locator(".st-key-ag_cards .card")
    expect(cards.first).to_be_visible(timeout=120_000)
    expect(page.locator(".st-key-ag_cards .card.answer")).to_contain_text("888")
    prompt = page.locator(".st-key-ag_cards details").last
    expect(prompt.locator(".text")).to_be_hidden()
    prompt.locator("summary").click()
    expect(prompt.locator(".text")).to_contain_text("Observation: 888\nThought:")


def test_a_run_is_written_while_the_reader_looks_and_a_question_stays_text(follow: OpenPage) -> None:
    question = "<b>What</b> is **37** times 24?"
    link = urlencode({"lang": "en", "ag_problem": "own", "ag_question": question, "ag_turns": "2"})
    page = follow(f"/agents?{link}")
    page.locator(".st-key-ag_run button").click(timeout=120_000)
    end = page.locator(".st-key-ag_cards .turn").last.locator(".card.answer, .card.end")
    expect(end).to_be_visible(timeout=180_000)
    wait_run(page)
    first = page.locator(".st-key-ag_cards details").first
    first.locator("summary").click()
    expect(first.locator(".text")).to_contain_text(question)
    expect(first.locator("b")).to_have_count(0)
