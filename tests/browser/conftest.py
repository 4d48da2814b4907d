"""A real server, the real model, a real Chromium; every test also fails on what a reader must never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from benchmarks.live_server import LiveServer
from playground.bootstrap import find_chromium
from tests.browser.reader import Watch, wait_run, watch

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
VIEWPORT: ViewportSize = {"width": 1366, "height": 768}
OpenPage = Callable[[str], Page]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything in this folder drives Chromium."""
    item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def server_url(live: LiveServer) -> str:
    """The server's address, without a slash at the end."""
    return live.url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder; while open, its event loop allows no other."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser: English, the size of a small projector."""
    window = browser.new_context(viewport=VIEWPORT, locale="en-US")
    window.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)  # another test may have the processor
    yield window
    window.close()


@pytest.fixture
def context(window: BrowserContext) -> Iterator[BrowserContext]:
    """The reader's browser, without what an earlier test left in it."""
    yield window
    window.clear_cookies()
    window.clear_permissions()


@pytest.fixture(scope="package")
def tab(window: BrowserContext) -> tuple[Page, Watch]:
    """One tab for all tests: it keeps Streamlit's scripts compiled, which halves the time of a test."""
    page = window.new_page()
    return page, watch(page)


@pytest.fixture
def seen(tab: tuple[Page, Watch]) -> Watch:
    """What happened in the tab since the test began."""
    return tab[1]


@pytest.fixture
def page(tab: tuple[Page, Watch], context: BrowserContext) -> Iterator[Page]:
    """The tab; afterwards the test fails if anything in it went wrong unseen, and the tab forgets it all."""
    page, seen = tab
    seen.forget()
    yield page
    if page.get_by_test_id("stException").count():
        seen.troubles.append("an exception: " + page.get_by_test_id("stException").first.inner_text())
    troubles = list(seen.troubles)
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear(), sessionStorage.clear()")
    page.goto("about:blank")
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.set_viewport_size(VIEWPORT)
    page.mouse.move(0, 0)
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def open_page(page: Page, server_url: str) -> OpenPage:
    """`open_page("/sampling?text=...")` opens it and waits until its script has run."""

    def open_(path: str) -> Page:
        page.goto(server_url + path)
        wait_run(page)
        return page

    return open_
