"""A real server, the real model, a real Chromium; every test also fails on what a reader must never meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from benchmarks.live_server import LiveServer
from playground.chromium import find_chromium
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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--js-flags=--no-maglev --no-opt --always-sparkplug",  # a test is over before optimised code pays
]
TIMEOUT_MS = 180_000
VIEWPORT: ViewportSize = {"width": 1366, "height": 768}
AS_OPENED = """() => {
  document.activeElement?.blur();
  document.querySelector("[data-testid=stMain]").scrollTo(0, 0);
}"""
FOLLOW = """(path) => {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate", { state: null }));
}"""
# What moves while a page waits is drawn by the processor that the tests need; the ends of motions still come.
STILL = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync(`*, ::before, ::after {
    animation-duration: 1ms !important;
    animation-iteration-count: 1 !important;
    transition-duration: 1ms !important;
  }`);
  document.adoptedStyleSheets.push(still);
}"""
OpenPage = Callable[[str], Page]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything in this folder drives Chromium."""
    item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server_url(live: LiveServer) -> str:
    """The server's address, without a slash at the end."""
    return live.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder; while open, its event loop allows no other."""
    expect.set_options(timeout=TIMEOUT_MS)  # another test may have the processor
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser: English, the size of a small projector."""
    window = browser.new_context(viewport=VIEWPORT, locale="en-US")
    window.set_default_timeout(TIMEOUT_MS)
    window.add_init_script(f"({STILL})()")
    yield window
    window.close()


@pytest.fixture
def context(window: BrowserContext) -> Iterator[BrowserContext]:
    """The reader's browser, without what an earlier test allowed it."""
    yield window
    window.clear_permissions()


@dataclass
class Tab:
    """The reader's tab.

    Attributes:
        page, seen: What it shows, what happened in it.
        untouched: The path it shows as its script left it, "" if a reader changed it.
        is_in_url: Whether all that tests did in its session is in the URL.
    """

    page: Page
    seen: Watch
    untouched: str = ""
    is_in_url: bool = False


@pytest.fixture(scope="session")
def tab(window: BrowserContext) -> Tab:
    """One tab for all tests: it keeps Streamlit's scripts compiled, which halves the time of a test."""
    page = window.new_page()
    return Tab(page, watch(page))


@pytest.fixture
def seen(tab: Tab) -> Watch:
    """What happened in the tab since the test began."""
    return tab.seen


@pytest.fixture
def page(tab: Tab, context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The tab; it forgets what was before, and the test fails if anything in it went wrong unseen."""
    page, seen = tab.page, tab.seen
    tab.is_in_url = tab.is_in_url and "follow" in request.fixturenames
    if not tab.is_in_url:
        _leave(tab, for_blank="open_page" not in request.fixturenames)
    seen.forget()
    yield page
    if page.get_by_test_id("stException").count():
        seen.troubles.append("an exception: " + page.get_by_test_id("stException").first.inner_text())
    troubles = list(seen.troubles)
    if troubles:
        tab.untouched, tab.is_in_url = "", False
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.set_viewport_size(VIEWPORT)
    page.mouse.move(0, 0)
    assert not troubles, "\n".join(troubles)


def _leave(tab: Tab, for_blank: bool) -> None:
    """Forget what the tab shows; a test that opens a page itself spares it the way over an empty one."""
    tab.untouched = ""
    tab.page.context.clear_cookies()
    if tab.page.url.startswith("http"):
        tab.page.evaluate("localStorage.clear(), sessionStorage.clear()")
    if for_blank:
        tab.page.goto("about:blank")


@pytest.fixture
def open_page(page: Page, server_url: str) -> OpenPage:
    """`open_page("/sampling?text=...")` opens it and waits until its script has run."""

    def open_(path: str) -> Page:
        page.goto(server_url + path)
        wait_run(page)
        return page

    return open_


@pytest.fixture
def follow(tab: Tab, open_page: OpenPage, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """`open_page` for tests all of whose doings are in the URL: the tab goes there in the session it has.

    The first such test loads the page, and so does the next after one that failed.
    """
    n_failed = request.session.testsfailed

    def follow_(path: str) -> Page:
        tab.untouched = ""
        if not tab.is_in_url:
            return open_page(path)
        tab.page.evaluate(AS_OPENED)
        tab.page.evaluate(FOLLOW, path)
        wait_run(tab.page)
        return tab.page

    yield follow_
    tab.is_in_url = request.session.testsfailed == n_failed


@pytest.fixture
def look_at(tab: Tab, follow: OpenPage, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """`follow` for tests that only look: the page is not drawn anew if the last one left it untouched.

    Untouched means that the tab sent the server nothing and that the test passed. What is only in the browser
    may have changed, such as the chip a key walked to; focus and scrolling begin anew.
    """
    opened, n_sent, n_failed = "", 0, request.session.testsfailed

    def look(path: str) -> Page:
        nonlocal opened, n_sent
        if tab.untouched == path:
            tab.page.evaluate(AS_OPENED)
        else:
            follow(path)
        opened, n_sent = path, tab.seen.n_sent
        return tab.page

    yield look
    is_untouched = tab.seen.n_sent == n_sent and request.session.testsfailed == n_failed
    tab.untouched = opened if is_untouched else ""
