"""The split of a budget in Chromium: the browser predicts and writes what Python does, and sends nothing."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.core.scaling_laws import LAWS
from playground.ui.components import script
from playground.ui.scaling.amounts import short
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run

SOURCE = script("budget_split/budget_split")
ASK = """async ([source, law, budget, best, places, amounts]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const m = await import(url);
  const splits = places.map((at) => m.splitAt(budget, best, at));
  return [splits, splits.map(([n, d]) => m.lossOf(law, n, d)), amounts.map(m.short)];
}"""


def test_the_browser_predicts_as_python_does(page: Page) -> None:
    amounts = [
        0,
        0.00012,
        0.0456,
        0.5,
        1,
        12.345,
        999.4,
        999.6,
        999_999,
        134.5e6,
        7e9,
        1.4e12,
        999.9e12,
        3.15e23,
    ]
    for law in LAWS.values():
        for budget in (1e9, 5.76e23):
            best = law.best_split(budget)[0]
            places = [0, 0.25, 0.5, 0.8, 1]
            splits, losses, written = page.evaluate(ASK, [SOURCE, asdict(law), budget, best, places, amounts])
            n, d = np.array(splits).T
            np.testing.assert_allclose(6 * n * d, budget)
            assert n[2] == pytest.approx(best)
            np.testing.assert_allclose(losses, law.loss(n, d))
            assert min(losses) == losses[2]
            assert written == [short(one) for one in amounts]


def test_the_slider_moves_without_the_server_and_finds_the_best_split(look_at: OpenPage, seen: Watch) -> None:
    page = look_at("/scaling?lang=en&sca_law=besiroglu")
    slider = page.get_by_role("slider", name="How would you spend this budget?")
    expect(slider).to_be_visible(timeout=60_000)
    wait_run(page)
    said = page.locator(".budget-split .said")
    first = said.inner_text()
    seen.sent.clear()
    slider.focus()
    for _press in range(40):
        page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(first)
    slider.fill("200")  # the middle: the best split
    law = LAWS["besiroglu"]
    n, d = law.best_split(5.76e23)
    expect(said).to_contain_text(f"Your split: N = {short(n)}, D = {short(d)} tokens")
    expect(said).to_contain_text(f"Predicted loss {float(law.loss(n, d)):.3f}.")
    assert seen.sent == []
