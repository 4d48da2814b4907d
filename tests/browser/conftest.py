"""A real server, the real model, a real Chromium; every test also fails on what a reader must never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

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


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser: English, the size of a small projector, no cookies of an earlier test."""
    options = {"viewport": {"width": 1366, "height": 768}, "locale": "en-US"}
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; afterwards the test fails if anything in it went wrong unseen."""
    page = context.new_page()
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
