"""A person among the students, in a real Chromium: from the key that hands in a sentence to the picture seen.

`python -m benchmarks.class_of_thirty.person URL SECONDS SEED` prints [page, seconds] as JSON, a line each.
"""

from __future__ import annotations

import json
import random
import sys
import time
from urllib.parse import urlencode

from playwright.sync_api import Error, Page, sync_playwright

from playground.chromium import find_chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PICTURES = {
    "": ".st-key-journey",
    "inside": ".st-key-ins_way",
    "attention": ".st-key-att_map",
    "sampling": ".st-key-sampler",
}
PATIENCE_MS = 90_000
THINK_S, SETTLE_S = 4.0, 1.5
# What a picture shows, letters and pixels, through shadow roots; "" while there is none.
SIGNATURE = """(selector) => {
  const host = document.querySelector(selector);
  if (!host) return "";
  let seen = "";
  const walk = (node) => {
    if (node instanceof HTMLCanvasElement) seen += node.toDataURL();
    if (node.nodeType === Node.TEXT_NODE) seen += node.data;
    if (node.shadowRoot) walk(node.shadowRoot);
    if (!(node instanceof HTMLStyleElement)) node.childNodes.forEach(walk);
  };
  walk(host);
  return seen;
}"""
# Resolves with the time at which the picture differs and has been painted.
WHEN_CHANGED = f"""([selector, before, patience]) => new Promise((done) => {{
  const signature = {SIGNATURE};
  const began = performance.now();
  const look = () => {{
    const now = signature(selector);
    if (now && now !== before) requestAnimationFrame(() => done(performance.now()));
    else if (performance.now() - began > patience) done(0);
    else setTimeout(look, 40);
  }};
  look();
}})"""
NOTE_KEY = """() => addEventListener("keydown", (event) => {
  if (event.key === "Enter") window.handedInAt = performance.now();
}, true)"""


def seconds_until_seen(tab: Page, sentence: str, picture: str) -> float | None:
    """Hand a sentence in; seconds until the picture is another one, None if it stayed as it was."""
    before = tab.evaluate(SIGNATURE, picture)
    box = tab.get_by_test_id("stSidebar").locator("textarea")
    box.fill(sentence)
    box.press("Control+Enter")
    changed = tab.evaluate(WHEN_CHANGED, [picture, before, PATIENCE_MS])
    return (changed - tab.evaluate("window.handedInAt")) / 1000 if changed else None


def main(url: str, lasts_s: float, seed: int) -> None:
    """Go round the pages and hand in a new sentence on each, until the time is over."""
    draw = random.Random(seed)
    ends = time.monotonic() + lasts_s
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        tab = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-US")
        tab.set_default_timeout(PATIENCE_MS)
        while time.monotonic() < ends:
            for page, picture in PICTURES.items():
                if time.monotonic() < ends:
                    print(
                        json.dumps([page or "home", _once(tab, f"{url}/{page}", picture, draw)]), flush=True
                    )
        browser.close()


def _once(tab: Page, address: str, picture: str, draw: random.Random) -> float | None:
    words = {"text": f"A visitor counted {draw.randrange(100)} boats", "lang": "en"}
    try:
        tab.goto(f"{address}?{urlencode(words)}")
        tab.evaluate(NOTE_KEY)
        tab.locator(picture).first.wait_for()
        tab.wait_for_timeout(1000 * (SETTLE_S + draw.expovariate(1 / THINK_S)))
        sentence = f"A visitor told me that {draw.randrange(100, 999)} boats came in because the"
        return seconds_until_seen(tab, sentence, picture)
    except Error as error:
        print(address, str(error)[:300], file=sys.stderr)
        return None


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
