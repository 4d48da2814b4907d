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
