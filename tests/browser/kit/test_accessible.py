"""axe-core on every page: WCAG 2.0, 2.1 and 2.2, A and AA, in both languages and themes, and on a phone."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground import navigation
from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run

AXE = (Path(__file__).parents[1] / "vendor" / "axe-4.14.1.min.js").read_text("utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TOO = ("target-size", "heading-order", "page-has-heading-one", "landmark-one-main")
# Rule -> what of Streamlit's own breaks it: a selector, and why it stays.
STREAMLITS = {
    "list": ("[data-testid=stSidebarNavItems]", "its menu puts a box between the list and its items"),
    "listitem": ("[data-testid=stSidebarNavItems] li", "the same"),
    "button-name": (
        "[data-testid=stFileUploaderDropzone] button",
        "our words stand in its style, which browsers read out and axe does not: tested below",
    ),
}
RUN = """async ([rules, streamlits]) => {
  const found = await axe.run(document, { ...rules, resultTypes: ["violations"], elementRef: true });
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes
      .filter(({ element }) => !(streamlits[id] && element?.matches(streamlits[id])))
      .map((one) => [id, help, one.target.flat().join(" >> "), one.html.slice(0, 200), one.failureSummary]));
}"""
UNSETTLED = "[data-stale=true], [data-testid=stVegaLiteChart] svg:not([aria-hidden])"
STREAMLITS_NAMES = ("Sidebar", "Collapse sidebar", "App pages", "Main menu", "Link to heading", "Open")
PAGES = [page.name for page in navigation.PAGES]
LANGUAGES = dict(zip(PAGES, cycle(("en", "ko")), strict=False))
PHONE = {"width": 390, "height": 844}


def broken(page: Page, **rules: Any) -> str:
    """What breaks these rules, but for what is Streamlit's."""
    expect(page.locator(UNSETTLED)).to_have_count(0)
    mine = {rule: selector for rule, (selector, _why) in STREAMLITS.items()}
    return "\n\n".join("\n  ".join(one) for one in page.evaluate(RUN, [rules, mine]))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_rules(name: str, follow: OpenPage) -> None:
    page = follow(f"/{'' if name == navigation.FIRST else name}?lang={LANGUAGES[name]}")
    page.wait_for_load_state("networkidle")
    wait_run(page)
    expect(page.locator("html")).to_have_attribute("lang", LANGUAGES[name])
    page.keyboard.press("Tab")  # from then on what scrolls stops the key
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    found = broken(page, runOnly=STANDARDS, rules={rule: {"enabled": True} for rule in TOO})
    assert not found, found
    if LANGUAGES[name] == "ko":
        own = page.locator(", ".join(f"[aria-label='{one}']" for one in STREAMLITS_NAMES))
        expect(own).to_have_count(0)
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", "dark")
    found = broken(page, runOnly=["color-contrast"])
    if found:  # a busy browser is not done with the theme
        page.wait_for_timeout(3_000)
        found = broken(page, runOnly=["color-contrast"])
    assert not found, found
    page.set_viewport_size(PHONE)
    wait_run(page)
    page.keyboard.press("Tab")
    found = broken(page, runOnly=["target-size", "scrollable-region-focusable", "aria-hidden-focus"])
    assert not found, found


def test_the_field_for_a_file_has_a_name_in_the_readers_language(follow: OpenPage) -> None:
    page = follow("/evaluation?lang=ko&ev_panel=own")
    button = page.get_by_test_id("stFileUploaderDropzone").locator("button").first
    expect(button).to_have_accessible_name(re.compile("파일 고르기"), timeout=30_000)
