"""The window of models that can be brought, on a phone in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import STILL, TIMEOUT_MS
from tests.browser.reader import wait_run, watch

UPRIGHT: ViewportSize = {"width": 390, "height": 844}
# Of the window: what is cut or stands outside of the screen; of its choices: what is too low to tap.
FAULTS = """(dialog) => {
  const found = [];
  const outside = (box) => box.left < -0.5 || box.right > innerWidth + 0.5;
  if (outside(dialog.getBoundingClientRect())) found.push("the window is wider than the screen");
  for (const node of dialog.querySelectorAll("*")) {
    if (!node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const box = node.getBoundingClientRect();
    if (box.width <= 1) continue;
    const texts = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    const hides = getComputedStyle(node).overflowX === "hidden" && node.scrollWidth > node.clientWidth + 1;
    if (texts.length && (outside(box) || hides)) found.push(`cut: ${node.textContent}`);
    if (node.matches("label:has(input[type=radio]), button[role=radio]") && box.height < 39.5)
      found.push(`${box.height.toFixed(0)} px high: ${node.textContent}`);
  }
  return found;
}"""
GROUPS = {
    "en": ("More models", ["Korean", "English", "Many languages"], "English"),
    "ko": ("다른 모델", ["한국어", "영어", "여러 언어"], "한국어"),
}


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    window = browser.new_context(viewport=UPRIGHT, is_mobile=True, has_touch=True, locale="en-US")
    window.set_default_timeout(TIMEOUT_MS)
    window.add_init_script(f"({STILL})()")
    yield window.new_page()
    window.close()


@pytest.mark.parametrize("language", GROUPS)
def test_models_to_bring_are_grouped_by_language_and_nothing_is_cut(
    language: str, phone: Page, server_url: str
) -> None:
    title, names, own = GROUPS[language]
    seen = watch(phone)
    phone.goto(f"{server_url}/?lang={language}")
    wait_run(phone)
    phone.get_by_test_id("stExpandSidebarButton").tap()
    phone.get_by_role("button", name=title).tap()
    dialog = phone.get_by_role("dialog")
    expect(dialog.get_by_text(title, exact=True)).to_be_visible()
    wait_run(phone)
    groups = dialog.get_by_test_id("stButtonGroup").get_by_role("radio")
    expect(groups).to_have_text(names)
    expect(groups.filter(has_text=own)).to_be_checked()
    rows: list[list[str]] = []
    for name in names:
        groups.filter(has_text=name).tap()
        wait_run(phone)
        rows.append(dialog.get_by_test_id("stRadio").locator("label").all_inner_texts())
        assert rows[-1]
        assert dialog.evaluate(FAULTS) == []
    told = ["\n".join(group) for group in rows]
    assert "KLUE" in told[0]
    assert "KLUE" not in told[1] + told[2]
    assert "GPT-2" in told[1]
    assert "Qwen3" in told[2]
    phone.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert seen.troubles == []
