"""The grid of heads in Chromium, mounted in an empty page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.ui.components import packed, script, style
from tests.browser.components.pixels import CELL, LEFT, TOP, cell, pixel
from tests.browser.mounting import give, mount, sent

# ---------------------------------------------------------------- all heads

WORDS = {
    "grid": "All heads",
    "sorted": "By score",
    "layer": "Layer",
    "head": "Head",
    "click": "A click",
    "look": "Look",
    "switch": "Switch off",
    "restore": "All on again",
    "detail": "head {layer}.{head} · {score} {value}",
    "score": "entropy",
    "tells": "mean entropy",
    "weight": "weight",
    "off": "switched off",
    "hint": "Arrow keys move.",
}


L, H, N = 6, 3, 8


SCORES = np.random.default_rng(1).permutation(L * H).reshape(L, H) / (L * H)


def one_strong() -> Any:
    """Blank maps, but head 4.1 puts all weight of query 6 on key 2."""
    thumbnails = np.zeros((L, H, N, N), dtype=np.uint8)
    thumbnails[4, 1, 6, 2] = 255
    return thumbnails


def grid_data(*, revision: int = 0, off: Any = (), by_score: bool = False) -> bytes:
    head = {
        "revision": revision,
        "view": {"selected": [0, 0], "off": off},
        "shape": [L, H, N, N],
        "scores": SCORES.ravel().tolist(),
        "limits": [0, 1],
        "by_score": by_score,
        "words": WORDS,
    }
    return packed(head, one_strong())


def mount_grid(page: Page, *, dark: bool = False, **options: Any) -> None:
    source = script("amounts", "head_grid/layout", "head_grid/head_grid")
    mount(
        page, source, style("keyboard", "head_grid/head_grid"), "head-grid", grid_data(**options), dark=dark
    )


@pytest.fixture
def grid(page: Page) -> Page:
    mount_grid(page)
    return page


@pytest.mark.parametrize(("dark", "paper"), [(False, [255, 255, 255]), (True, [15, 18, 22])])
def test_a_strong_weight_is_painted_where_it_stands_and_zero_is_paper(
    dark: bool, paper: list[int], page: Page
) -> None:
    mount_grid(page, dark=dark)
    canvas = page.locator(".holder canvas")
    wide, high = CELL - 3, CELL - 7
    at = [LEFT + 4 * CELL + 1 + wide * 2.5 / N, TOP + CELL + 1 + high * 6.5 / N]
    assert sum(abs(a - b) for a, b in zip(pixel(canvas, *at), paper, strict=True)) > 300
    assert pixel(canvas, at[0] + wide / N, at[1]) == paper
    assert pixel(canvas, at[0] - CELL, at[1]) == paper


def test_another_theme_repaints(grid: Page) -> None:
    call = "() => shadow.host.style.setProperty('--st-background-color', '#0e1117')"
    grid.evaluate(call)
    canvas = grid.locator(".holder canvas")
    for _ in range(40):
        if pixel(canvas, 1, 1) == [14, 17, 23]:
            break
        grid.wait_for_timeout(50)
    assert pixel(canvas, 1, 1) == [14, 17, 23]


def test_layers_that_do_not_fit_go_on_below(page: Page) -> None:
    n_layers, n_heads = 70, 4
    head = {
        "revision": 0,
        "view": {"selected": [0, 0], "off": []},
        "shape": [n_layers, n_heads, 16, 16],
        "scores": [None] * (n_layers * n_heads),
        "limits": [0, 1],
        "by_score": False,
        "words": WORDS,
    }
    source = script("amounts", "head_grid/layout", "head_grid/head_grid")
    data = packed(head, np.zeros((n_layers, n_heads, 16, 16), dtype=np.uint8))
    mount(page, source, style("keyboard", "head_grid/head_grid"), "head-grid", data)
    page.locator(".holder").focus()
    for _ in range(n_layers - 1):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".detail")).to_have_text("head 70.1 · entropy –")
    large = page.locator(".large").bounding_box()
    assert page.locator(".holder").evaluate("(holder) => holder.scrollWidth <= holder.clientWidth")
    assert large is not None
    assert 0 <= large["x"] < 1000
    page.keyboard.press("Enter")
    assert sent(page)[0][1]["selected"] == [69, 0]
    side, band = 27, TOP + 4 * 27  # cells of 35 layers beside each other, and what one band takes
    page.locator(".holder canvas").click(
        position={"x": LEFT + (37 - 35 + 0.5) * side, "y": band + TOP + (2 + 0.5) * side}
    )
    expect(page.locator("[aria-selected=true]")).to_have_text("head 38.3 · entropy –")
    assert sent(page)[-1][1]["selected"] == [37, 2]


def test_mounting_sends_nothing_and_a_click_sends_the_head_once(grid: Page) -> None:
    assert sent(grid) == []
    grid.locator(".holder canvas").click(position=cell(grid, 4, 1))
    assert sent(grid) == [["view", {"selected": [4, 1], "off": [], "revision": 0}]]
    grid.locator(".holder canvas").click(position=cell(grid, 4, 1))
    assert len(sent(grid)) == 1


def test_pointing_reads_the_score_and_moves_nothing(grid: Page) -> None:
    canvas, detail = grid.locator(".holder canvas"), grid.locator(".detail")
    before = canvas.bounding_box(), detail.bounding_box()
    canvas.hover(position=cell(grid, 4, 1))
    expect(detail).to_have_text(f"head 5.2 · entropy {SCORES[4, 1]:.3f}")
    large = grid.locator(".large")
    expect(large).to_be_visible()
    assert pixel(large, 144 * 2.5 / N, 144 * 6.5 / N) != [255, 255, 255]
    assert (canvas.bounding_box(), detail.bounding_box()) == before
    grid.mouse.move(0, 700)
    expect(large).to_be_hidden()
    assert sent(grid) == []


def test_heads_are_switched_off_and_on_again(grid: Page) -> None:
    canvas = grid.locator(".holder canvas")
    canvas.click(position=cell(grid, 2, 0), modifiers=["Shift"])
    grid.get_by_role("radio", name="Switch off").click()
    canvas.click(position=cell(grid, 3, 2))
    canvas.click(position=cell(grid, 5, 1))
    canvas.click(position=cell(grid, 3, 2))
    assert [view["off"] for _name, view in sent(grid)] == [
        [[2, 0]],
        [[2, 0], [3, 2]],
        [[2, 0], [3, 2], [5, 1]],
        [[2, 0], [5, 1]],
    ]
    assert "switched off" in grid.locator("#head-5-1").inner_text()
    grid.get_by_role("button", name="All on again").click()
    assert sent(grid)[-1][1] == {"selected": [0, 0], "off": [], "revision": 0}
    expect(grid.get_by_role("button", name="All on again")).to_be_disabled()


def test_keys_move_select_and_switch(grid: Page) -> None:
    grid.locator(".holder").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowDown"):
        grid.keyboard.press(key)
    expect(grid.locator(".holder")).to_have_attribute("aria-activedescendant", "head-1-1")
    grid.keyboard.press("Enter")
    grid.keyboard.press("x")
    assert [view for _name, view in sent(grid)] == [
        {"selected": [1, 1], "off": [], "revision": 0},
        {"selected": [1, 1], "off": [[1, 1]], "revision": 0},
    ]


def test_by_score_the_best_head_comes_first(page: Page) -> None:
    mount_grid(page, by_score=True)
    page.locator(".holder canvas").click(position={"x": 20, "y": 20})
    best = np.unravel_index(SCORES.argmax(), SCORES.shape)
    assert sent(page)[0][1]["selected"] == [int(number) for number in best]


def test_new_data_keep_what_the_reader_chose_until_python_says_otherwise(grid: Page) -> None:
    grid.locator(".holder canvas").click(position=cell(grid, 4, 1))
    give(grid, grid_data())
    expect(grid.locator("[aria-selected=true]")).to_have_id("head-4-1")
    give(grid, grid_data(revision=1))
    expect(grid.locator("[aria-selected=true]")).to_have_id("head-0-0")
    assert len(sent(grid)) == 1
    assert grid.locator(".holder").count() == 1
