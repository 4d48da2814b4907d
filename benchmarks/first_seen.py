"""A newcomer's walk: the first screen of every page in the order of the course, in both languages, two sizes.

`python -m benchmarks.first_seen FOLDER [--url URL] [PAGE ...]` writes a PNG a page, language and size, and
says what shows an error or scrolls sideways.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.live_server import LiveServer
from benchmarks.screenshots import FLAGS, as_png
from playground.chromium import find_chromium
from playground.navigation import FIRST, PAGES

SIZES: tuple[ViewportSize, ...] = ({"width": 1366, "height": 768}, {"width": 390, "height": 844})
LANGUAGES = ("en", "ko")
WAIT_MS = 180_000
STILL = "[data-testid='stApp'][data-test-script-state='notRunning']"
FAULTS = """() => {
  const seen = (node) => node.offsetParent !== null;
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push("scrolls sideways");
  if ([...document.querySelectorAll("[data-testid=stException]")].some(seen)) found.push("an exception");
  return found;
}"""


def walk(browser: Browser, url: str, names: list[str], folder: Path) -> list[str]:
    """Open each page by its link, in one session a language and size; the faults of the first screens.

    Args:
        browser: Chromium.
        url: Address of the server.
        names: Names of pages.
        folder: For the pictures.
    """
    faults = []
    for language in LANGUAGES:
        for size in SIZES:
            context = browser.new_context(viewport=size, locale=language)
            tab = context.new_page()
            tab.set_default_timeout(WAIT_MS)
            for name in names:
                tab.goto(f"{url}/{'' if name == FIRST else name}?lang={language}")
                wait_drawn(tab)
                shot = f"{name}-{language}-{size['width']}"
                (folder / f"{shot}.png").write_bytes(as_png(tab))
                faults += [f"{shot}: {fault}" for fault in tab.evaluate(FAULTS)]
                print(shot, flush=True)
            context.close()
    return faults


def wait_drawn(tab: Page) -> None:
    """Until nothing runs and no model is awaited."""
    for _round in range(2):
        tab.locator(STILL).wait_for(state="attached")
        tab.wait_for_timeout(700)


@contextmanager
def server(url: str) -> Iterator[str]:
    """The address of a server: the one that runs, or a new one."""
    if url:
        yield url
        return
    with LiveServer.playground() as live:
        live.wait_ready()
        yield live.url


def main() -> None:
    """Walk, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", default=[page.name for page in PAGES])
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with server(given.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        faults = walk(browser, url, given.pages, given.folder)
        browser.close()
    print("\n".join(faults) or "nothing is wrong with the first screens")


if __name__ == "__main__":
    main()
