"""A real server, the real model, a real Chromium; every test also fails on what a reader must never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from benchmarks.live_server import LiveServer
from playground.bootstrap import find_chromium
from tests.browser.reader import wait_run, watch

# Background services of Chromium look for Google's hosts at every start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MS = 20_000
# Streamlit keeps a reader's theme and the width of the menu; a new tab of a test starts without them.
FORGET = "if (!sessionStorage.started) { localStorage.clear(); sessionStorage.started = true; }"
OpenPage = Callable[[str], Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives Chromium."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """The playground on a free port, its default model ready."""
    with LiveServer.playground() as live:
        live.wait_ready()
        yield live


@pytest.fixture(scope="session")
def server_url(server: LiveServer) -> str:
    """Its address, without a slash at the end."""
    return server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser: English, the size of a small projector. Shared, so that it keeps its scripts compiled."""
    options = {"viewport": {"width": 1366, "height": 768}, "locale": "en-US"}
    window = browser.new_context(**options)  # type: ignore[arg-type]
    window.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)  # another test may have the processor
    yield window
    window.close()


@pytest.fixture
def context(window: BrowserContext) -> Iterator[BrowserContext]:
    """The same browser, without what an earlier test left in it."""
    yield window
    for page in window.pages:
        page.close()
    window.clear_cookies()
    window.clear_permissions()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; afterwards the test fails if anything in it went wrong unseen."""
    page = context.new_page()
    page.add_init_script(FORGET)
    troubles = watch(page)
    yield page
    if not page.is_closed() and page.get_by_test_id("stException").count():
        troubles.append("an exception on the page: " + page.get_by_test_id("stException").first.inner_text())
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def open_page(page: Page, server_url: str) -> OpenPage:
    """`open_page("/sampling?text=...")` opens it and waits until its script has run."""

    def open_(path: str) -> Page:
        page.goto(server_url + path)
        wait_run(page)
        return page

    return open_
