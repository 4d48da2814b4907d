"""The pictures of positions in Chromium: core.positions' numbers, and dragging asks the server nothing."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from playground.core.positions import (
    DistanceProfile,
    PositionScheme,
    alibi_slopes,
    frequencies,
    rotate,
    similarity,
    sinusoidal,
)
from playground.core.tables import positions as frames
from playground.ui.components import script
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run, wait_sent

MATHS = script("positions/maths")
BASES = [1.5, 10.0, 10_000.0, 100_000.0, 1_000_000.0]


def view(name: str) -> str:
    """The module of one picture."""
    return script("positions/maths", "positions/panel", f"positions/{name}")


def in_chromium(page: Page, source: str, call: str, arguments: Any) -> Any:
    """What an expression over the module `m` gives for the arguments `a`."""
    return page.evaluate(
        f"""async ([source, a]) => {{
          const url = URL.createObjectURL(new Blob([source], {{ type: "text/javascript" }}));
          const m = await import(url);
          return {call};
        }}""",
        [source, arguments],
    )


# ---------------------------------------------------------------- the closed forms


@pytest.mark.parametrize("base", BASES)
def test_sinusoids_and_rotation_equal_core(page: Page, base: float) -> None:
    for n_ctx, d_model in ((2, 2), (64, 64), (256, 32)):
        found = in_chromium(page, MATHS, "Array.from(m.sinusoidal(...a))", [n_ctx, d_model, base])
        expected = sinusoidal(n_ctx, d_model, base)
        np.testing.assert_allclose(np.reshape(found, expected.shape), expected, atol=1e-6, rtol=0)
    call = "a[1].map((p) => Array.from(m.rotate(a[0], p, m.frequencies(a[0].length, a[2]))))"
    places = [0, 1, 7, 511, 8_191, 24_895]
    for d_head in (2, 64, 128):
        x = np.random.default_rng(0).normal(size=d_head)
        turned = in_chromium(page, MATHS, call, [x.tolist(), places, base])
        expected = [rotate(x, place, base) for place in places]
        np.testing.assert_allclose(turned, expected, atol=1e-6, rtol=0)


def test_similarity_and_slopes_equal_core(page: Page) -> None:
    for base in BASES:
        call = "a[0].map((d) => m.similarity(d, m.frequencies(a[1], a[2])))"
        found = in_chromium(page, MATHS, call, [list(range(600)), 128, base])
        np.testing.assert_allclose(found, similarity(np.arange(600), 128, base), atol=1e-6, rtol=0)
        speeds = in_chromium(page, MATHS, "Array.from(m.frequencies(...a))", [128, base])
        np.testing.assert_allclose(speeds, frequencies(128, base), rtol=1e-9)
    for n_head in (1, 2, 8, 16):
        found = in_chromium(page, MATHS, "Array.from(m.alibiSlopes(a))", n_head)
        np.testing.assert_allclose(found, alibi_slopes(n_head), rtol=1e-12)


def test_pair_scores_equal_core(page: Page) -> None:
    query, key = np.random.default_rng(1).normal(size=(2, 64))
    call = "Array.from(m.pairScores(a[0], a[1], a[2], a[3], m.frequencies(64, 1e5)))"
    for m, n, shift in ((4, 3, 100), (500, 0, 16_000)):
        table = frames.rotary(query, key, 1e5, m=m, n=n, shift=shift)
        for column, at in (("score", (m, n)), ("shifted", (m + shift, n + shift))):
            found = in_chromium(
                page,
                view("clocks"),
                call,
                [query.tolist(), key.tolist(), *at],
            )
            np.testing.assert_allclose(found, table[column], atol=1e-6, rtol=0)


def test_curves_equal_core(page: Page) -> None:
    rng = np.random.default_rng(2)
    profile = DistanceProfile(*rng.uniform(-0.3, 1, size=(3, 90)))
    scheme = PositionScheme("rotary", "m", "r", 8192, base=1e5, d_head=64)
    settings = {"d_model": 100, "base": 2_000, "head": 2, "reach": 300}
    facts = {"d_head": 64, "base": 1e5, "n_alibi": 8, "n_learned": 90}
    call = "m.curves(a[0], a[1], Float32Array.from(a[2]))"
    found = in_chromium(
        page,
        view("distances"),
        call,
        [settings, facts, profile.mean.tolist()],
    )
    table = frames.distances(scheme, profile, d_model=100, base=2_000, head=2, reach=300)
    for name in ("sinusoidal", "rotary", "alibi"):
        np.testing.assert_allclose(found[name], table[name], atol=1e-6, rtol=0)
    np.testing.assert_allclose(found["learned"], table["learned"].dropna(), atol=1e-6, rtol=0)


# ---------------------------------------------------------------- on the page


def picture(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-pos_{name}_picture .positions")


def wait_drawn(page: Page) -> None:
    """Until both models have been read; on a busy machine that takes a while."""
    expect(picture(page, "distances").locator(".sentence")).not_to_be_empty()
    expect(page.get_by_text("What lies past the trained length?")).to_be_visible()
    wait_run(page)


def slider(page: Page, name: str, setting: str) -> Locator:
    return picture(page, name).locator(f"input[type=range][data-name={setting}]")


def drag(page: Page, handle: Locator, shares: list[float]) -> None:
    """Press on the slider's handle, move over these shares of its length, stay pressed."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    low, high = (float(handle.get_attribute(edge) or 0) for edge in ("min", "max"))
    at = (float(handle.input_value()) - low) / (high - low)
    page.mouse.move(box["x"] + 8 + at * (box["width"] - 16), y)
    page.mouse.down()
    for share in shares:
        page.mouse.move(box["x"] + share * box["width"], y)


@pytest.fixture
def page_of_positions(look_at: OpenPage) -> Page:
    page = look_at("/positions")
    wait_drawn(page)
    return page


def test_a_pointer_gives_the_exact_value(page_of_positions: Page) -> None:
    waves = picture(page_of_positions, "waves")
    box = waves.locator("svg image").bounding_box()
    assert box is not None
    page_of_positions.mouse.move(box["x"] + box["width"] * 10.5 / 64, box["y"] + box["height"] * 20.5 / 64)
    value = sinusoidal(21, 64)[20, 10]
    expect(waves.locator(".detail")).to_have_text(f"Position 20, dimension 10: {value:.6f}")


def test_every_picture_can_be_saved(page_of_positions: Page) -> None:
    keys = ("sinusoidal", "learned_positions", "rotary", "distances")
    for key, (kind, magic) in itertools.product(keys, (("PNG", b"\x89PNG"), ("SVG", b"<svg"))):
        button = page_of_positions.locator(f".st-key-{key}_save").get_by_role("button", name=kind)
        with page_of_positions.expect_download() as download:
            button.click()
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(magic)
        assert len(content) > 5_000


def test_dragging_repaints_and_sends_nothing_until_released(page_of_positions: Page, seen: Watch) -> None:
    for name, setting in (("waves", "base"), ("clocks", "shift"), ("distances", "head")):
        drags_without_asking(page_of_positions, name, setting, seen)


def drags_without_asking(page: Page, name: str, setting: str, seen: Watch) -> None:
    handle = slider(page, name, setting)
    before = picture(page, name).locator("svg").inner_html()
    drag(page, handle, [])
    page.wait_for_timeout(300)
    seen.sent.clear()
    box = handle.bounding_box()
    assert box is not None
    drawn = set()
    for share in (0.5, 0.6, 0.7, 0.8, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        drawn.add(picture(page, name).locator("svg").inner_html())
    page.wait_for_timeout(400)
    assert seen.sent == []
    assert len(drawn - {before}) >= 4
    page.mouse.up()
    wait_sent(page, seen, 1)
    wait_run(page)
    assert len(seen.sent) >= 1
    expect(page).to_have_url(re.compile(f"pos_{name}_{setting}="))


def test_the_score_of_real_vectors_stays_when_both_are_shifted(page_of_positions: Page) -> None:
    words = picture(page_of_positions, "clocks").locator(".sentence")
    here, there = re.findall(r"[:] (-?\d+\.\d{6})", words.inner_text())
    assert here == there
    shift = picture(page_of_positions, "clocks").locator("input[type=number][data-name=shift]")
    shift.fill("16000")
    shift.press("Tab")
    wait_run(page_of_positions)
    again = re.findall(r"[:] (-?\d+\.\d{6})", words.inner_text())
    assert again == [here, here]
    key = picture(page_of_positions, "clocks").locator("input[type=number][data-name=n]")
    key.fill("2")
    key.press("Tab")
    wait_run(page_of_positions)
    moved = re.findall(r"[:] (-?\d+\.\d{6})", words.inner_text())
    assert moved[0] == moved[1] != here


def test_a_link_restores_every_picture(page: Page, open_page: OpenPage) -> None:
    open_page("/positions?pos_waves_base=500&pos_clocks_shift=77&pos_distances_head=6&pos_seed=3")
    wait_drawn(page)
    for name, setting, value in (
        ("waves", "base", "500"),
        ("clocks", "shift", "77"),
        ("distances", "head", "6"),
    ):
        field = picture(page, name).locator(f"input[type=number][data-name={setting}]")
        expect(field).to_have_value(value)
    expect(page.get_by_label("Seed")).to_have_value("3")
