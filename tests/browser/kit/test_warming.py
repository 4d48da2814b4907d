"""A reader who comes while the model is still being loaded."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from benchmarks.live_server import LiveServer
from playground.paths import site_root
from playground.ui import text
from tests.browser.reader import wait_run


def test_the_lesson_can_be_read_and_the_link_is_kept_until_the_model_is_there(page: Page) -> None:
    lesson = text.parse_lesson((site_root() / "assets/lessons/ko/sampling.md").read_text("utf-8"))
    with LiveServer.playground() as live:
        page.goto(f"{live.url}/sampling?lang=ko&text=Hello&sam_temperature=2")
        expect(page.get_by_role("heading", level=1)).to_have_text(lesson.title)
        progress = page.get_by_test_id("stAlert").filter(has_text="SmolLM2 135M Instruct")
        expect(progress).to_contain_text("초")
        expect(page.get_by_test_id("stMain")).to_contain_text("로짓")
        expect(page.locator(".st-key-sam_start")).to_be_visible()
        wait_run(page)
        expect(progress).to_have_count(0)
        expect(page).to_have_url(re.compile("sam_temperature=2"))
        assert page.get_by_test_id("stSidebar").locator("textarea").input_value() == "Hello"
        page.goto("about:blank")  # before the server goes
        assert live.stop() == 0, "SIGTERM ends it quietly"
        assert "Traceback" not in live.log()


def test_what_is_opened_while_a_model_loads_stays_open_until_the_reader_closes_it(page: Page) -> None:
    with LiveServer.playground() as live:
        page.goto(f"{live.url}/prompting?lang=en")
        page.get_by_role("button", name="My prompts").click()
        opened = page.get_by_role("dialog")
        expect(opened).to_be_visible()
        assert page.locator(".st-key-pro_shots").count() == 0, "the model is not ready yet"
        expect(page.locator(".st-key-pro_shots")).to_be_attached()
        wait_run(page)
        expect(opened).to_be_visible()
        file = {"name": "mine.txt", "mimeType": "text/plain", "buffer": b"The first\nThe second\n"}
        opened.locator("input[type=file]").set_input_files([file])
        opened.get_by_role("button", name="Use these prompts").click()
        expect(opened.get_by_text("2 prompts were read.")).to_be_visible()
        opened.get_by_role("button", name="Close").press("Escape")  # the button that had the focus is gone
        expect(opened).to_have_count(0)
        page.locator(".st-key-lang_choice").get_by_text("한국어", exact=True).click()
        wait_run(page)
        expect(opened).to_have_count(0)
        page.goto("about:blank")  # before the server goes
