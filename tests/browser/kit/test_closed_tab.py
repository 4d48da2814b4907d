"""Work that nobody waits for any more stops: a tab is closed in the middle of a long generation."""

from __future__ import annotations

import re
import time

import psutil
from playwright.sync_api import BrowserContext, expect

from benchmarks.live_server import LiveServer
from tests.browser.reader import wait_run


def _cpu_share(process: psutil.Process, seconds: float) -> float:
    """Processor seconds used per second."""
    start = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return (sum(process.cpu_times()[:2]) - start) / seconds


def test_a_closed_tab_stops_its_generation(context: BrowserContext, live: LiveServer) -> None:
    server = psutil.Process(live.process.pid)
    page = context.new_page()
    page.goto(f"{live.url}/sampling?lang=en&sam_max_new_tokens=1500&sam_seed=3&text=Once+upon+a+time")
    wait_run(page)
    idle = _cpu_share(server, 1.0)
    page.locator(".st-key-sam_start button").click()
    expect(page.get_by_text(re.compile("Once upon a time│.{20}"))).to_be_visible()
    generating = _cpu_share(server, 1.0)  # a busy machine gives it little
    assert generating > idle, "it generates"
    page.close()
    time.sleep(1.5)
    assert _cpu_share(server, 1.5) < idle + min(0.2, generating / 2), "it has stopped"
