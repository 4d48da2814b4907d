"""The tilt and the rollouts in Chromium: the browser computes what Python does, and sends nothing."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.core.policy.outcomes import outcomes
from playground.core.reward_hacking import shipped
from playground.ui.components import script
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run

TILT = """async ([source, probs, rewards, betas]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const m = await import(url);
  return betas.map((beta) => m.tiltedBy(probs, rewards, beta));
}"""
AXES = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const m = await import(url);
  return cases.map(([values, isPositive]) => m.axisOf(values, isPositive));
}"""


def test_the_browser_tilts_as_python_does(page: Page) -> None:
    random = np.random.default_rng(0)
    probs, rewards = random.dirichlet(np.ones(60)), random.integers(-3, 9, 60).astype(float)
    choice, betas = outcomes(probs, rewards), [0.02, 0.5, 3.0, 20.0]
    all_probs = [*choice.probs.tolist(), *choice.rest_probs.tolist()]
    all_rewards = [*choice.rewards.tolist(), *choice.rest_rewards.tolist()]
    found = page.evaluate(TILT, [script("tilt/tilt"), all_probs, all_rewards, betas])
    for beta, one in zip(betas, found, strict=True):
        known = choice.at(beta)
        np.testing.assert_allclose(one["after"], [*known.probs, *known.rest], atol=1e-12)
        assert one["reward"] == pytest.approx(known.reward)
        assert one["kl"] == pytest.approx(known.kl)


def test_an_axis_holds_every_value_and_nothing(page: Page) -> None:
    cases = [[[0.1, 20.0], True], [[-3.0, 0.4], False], [[0.0], True], [[-80.0, -2.0], False]]
    found = page.evaluate(AXES, [script("rollouts/rollouts"), cases])
    assert found == [[0, 20], [-5, 0.5], [0, 1], [-100, 0]]


def test_the_slider_of_the_rollouts_stays_in_the_browser(look_at: OpenPage, seen: Watch) -> None:
    page = look_at("/alignment?lang=en&al_panel=rl")
    slider = page.get_by_role("slider", name="Rollout", exact=True).first
    expect(slider).to_be_visible(timeout=90_000)
    wait_run(page)
    free = shipped().run(0.0, 0)
    assert free is not None
    said = page.locator(".rollouts .run.free")
    seen.sent.clear()
    for at in (3, 0, 12):
        slider.fill(str(at))
        expect(said).to_contain_text(f"rollout {at}: reward {free.rollouts[at].reward:.2f}")
        expect(said).to_contain_text(free.rollouts[at].answers[0].text)
    assert seen.sent == []
