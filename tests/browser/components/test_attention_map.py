"""The map of one head in Chromium, mounted in an empty page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, Position, expect

from playground.core.attention import causal_mask, smallest_set
from playground.ui import components
from playground.ui.components import packed, script, style
from tests.browser.components.pixels import pixel
from tests.browser.mounting import mount, sent

# ---------------------------------------------------------------- one head

TOKENS = ["The", "·animal", "·was", "<b>too</b>", "·tired"]


MAP_WORDS = {
    "sentence": "What {query} looks at",
    "map": "Attention weights",
    "query": "query",
    "key": "key",
    "weight": "{query} → {key}: {weight}",
    "masked": "{query} → {key}: masked",
    "largest": "{query} looks most at {key}: {weight}",
    "nothing": "Nothing is left of {query}.",
    "removed": "Removed: {mass}",
    "coverage": "Smallest set that holds",
    "set": "{n} of {total} hold {percent} %",
    "scale": "weight",
    "legend": {"tokens": "the same", "query": "query", "chosen": "set", "masked": "masked"},
}


def random_weights(n: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(3).dirichlet(np.full(n, 0.4), size=n) * causal_mask(n)
    found: NDArray[np.float32] = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


WEIGHTS = random_weights(5)


def map_data(weights: NDArray[np.float32], *arrays: NDArray[np.float32], **head: Any) -> bytes:
    labels = TOKENS if len(weights) == len(TOKENS) else [f"·{i}" for i in range(len(weights))]
    known = {
        "revision": 0,
        "view": {"selected": 3, "percent": 80},
        "queries": labels,
        "keys": labels,
        "dir": "ltr",
        "causal": True,
        "limits": [50, 100],
        "words": MAP_WORDS,
    }
    return packed(known | head, weights, *arrays)


MAP = script("amounts", "attention_map/attention_map")


def mount_map(page: Page, data: bytes) -> None:
    mount(page, MAP, style("keyboard", "attention_map/attention_map"), "attention-map", data)


@pytest.fixture
def one_head(page: Page) -> Page:
    mount_map(page, map_data(WEIGHTS))
    return page


def place(page: Page, query: int, key: int, n: int = 5) -> Position:
    """The middle of a cell; the map ends 4 px above the lower edge of its canvas."""
    box = page.locator(".holder canvas").bounding_box()
    assert box is not None
    size = 38 if n == 5 else 1  # a quarter of the window's height, at least 190, for all rows
    tail = 56 if n == 5 else 8
    right, bottom = box["width"] - tail, box["height"] - 4
    return {"x": right - (n - key - 0.5) * size, "y": bottom - (n - query - 0.5) * size}


def test_smallest_set_equals_core(page: Page) -> None:
    mount_map(page, map_data(WEIGHTS))
    rng = np.random.default_rng(5)
    rows = [
        rng.dirichlet(np.full(n, a)).astype(np.float32) for n in (1, 2, 12, 64, 512) for a in (0.05, 1, 50)
    ]
    rows += [np.full(7, 1 / 7, dtype=np.float32), np.array([0.25, 0, 0.5, 0.25], dtype=np.float32)]
    for row in rows:
        call = "([row, cs]) => cs.map((c) => [...window.module.smallestSet(Float32Array.from(row), c)])"
        coverages = [0.5, 0.75, 0.8, 0.9, 0.99, 1.0]
        found = page.evaluate(call, [row.tolist(), coverages])
        for coverage, chosen in zip(coverages, found, strict=True):
            assert sorted(chosen) == np.flatnonzero(smallest_set(row, coverage)).tolist()


def test_pointing_reads_the_exact_weight_and_sends_nothing(one_head: Page) -> None:
    canvas, told = one_head.locator(".holder canvas"), one_head.locator(".pointed")
    for query, key in ((3, 0), (4, 2), (1, 1)):
        canvas.hover(position=place(one_head, query, key))
        value = one_head.evaluate("(w) => w.toPrecision(4)", float(WEIGHTS[query, key]))
        expect(told).to_have_text(f"{TOKENS[query]} → {TOKENS[key]}: {value}")
        assert float(value) == pytest.approx(WEIGHTS[query, key], rel=6e-4)
    canvas.hover(position=place(one_head, 1, 4))
    expect(told).to_have_text("·animal → ·tired: masked")
    assert sent(one_head) == []


def test_a_row_lights_the_sentence_up(one_head: Page) -> None:
    def alphas() -> list[float]:
        call = """() => [...shadow.querySelectorAll(".token.key")].map((token) => {
          const [, , , alpha = 1] = getComputedStyle(token).backgroundColor.match(/[\\d.e-]+/g).map(Number);
          return alpha;
        })"""
        found: list[float] = one_head.evaluate(call)
        return found

    np.testing.assert_allclose(alphas(), WEIGHTS[3], atol=0.005)
    one_head.locator(".holder canvas").hover(position=place(one_head, 1, 0))
    np.testing.assert_allclose(alphas(), WEIGHTS[1], atol=0.005)
    expect(one_head.locator(".token.query")).to_have_text("·animal")
    assert one_head.locator(".token").all_inner_texts() == TOKENS


def test_a_click_selects_the_query_once(one_head: Page) -> None:
    one_head.locator(".holder canvas").click(position=place(one_head, 4, 0))
    one_head.locator(".holder canvas").click(position=place(one_head, 4, 2))
    one_head.wait_for_timeout(250)
    assert sent(one_head) == [["view", {"selected": 4, "percent": 80, "revision": 0}]]
    one_head.locator(".token.key").nth(1).click()
    one_head.wait_for_timeout(250)
    assert sent(one_head)[1:] == [["view", {"selected": 1, "percent": 80, "revision": 0}]]


def test_the_slider_outlines_the_smallest_set_and_sends_when_let_go(one_head: Page) -> None:
    slider = one_head.locator("input[type=range]")
    slider.evaluate("(s) => { s.value = 95; s.dispatchEvent(new Event('input')); }")
    expected = np.flatnonzero(smallest_set(WEIGHTS[3], 0.95))
    chosen = one_head.locator(".token.chosen")
    assert chosen.all_inner_texts() == [TOKENS[i] for i in expected]
    expect(one_head.locator(".set")).to_have_text(f"{len(expected)} of 4 hold 95 %")
    one_head.wait_for_timeout(250)
    assert sent(one_head) == []
    slider.evaluate("(s) => s.dispatchEvent(new Event('change'))")
    one_head.wait_for_timeout(250)
    assert sent(one_head) == [["view", {"selected": 3, "percent": 95, "revision": 0}]]


def test_cells_are_painted_by_weight_and_masked_ones_are_hatched(page: Page) -> None:
    weights = np.zeros((5, 5), dtype=np.float32)
    weights[:, 0] = 1
    mount_map(page, map_data(weights))
    canvas = page.locator(".holder canvas")
    at = {name: place(page, *cell) for name, cell in {"one": (1, 0), "none": (2, 1)}.items()}
    assert sum(pixel(canvas, at["one"]["x"], at["one"]["y"])) < 200
    assert pixel(canvas, at["none"]["x"], at["none"]["y"]) == [255, 255, 255]
    corner = place(page, 0, 4)
    seen = {tuple(pixel(canvas, corner["x"] + i, corner["y"])) for i in range(-8, 9)}
    assert len(seen) > 2


@pytest.mark.parametrize("dark", [False, True])
def test_more_weight_is_further_from_the_paper_in_both_themes(dark: bool, page: Page) -> None:
    n = 12
    weights = np.zeros((n, n), dtype=np.float32)
    weights[-1] = np.linspace(0, 1, n)
    mount(
        page, MAP, style("keyboard", "attention_map/attention_map"), "attention-map", map_data(weights),
        dark=dark,
    )  # fmt: skip
    canvas = page.locator(".holder canvas")
    size, tail = 16, 56
    box = canvas.bounding_box()
    assert box is not None
    y = box["height"] - 4 - size / 2
    painted = [pixel(canvas, box["width"] - tail - (n - key - 0.5) * size, y) for key in range(n)]
    paper = lightness([15, 18, 22] if dark else [255, 255, 255])
    far = [abs(lightness(colour) - paper) for colour in painted]
    assert all(b > a for a, b in pairwise(far)), far


def lightness(colour: list[int]) -> float:
    """CIE L* of an sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def test_a_map_of_512_tokens_reads_every_cell(page: Page) -> None:
    weights = random_weights(512)
    mount_map(page, map_data(weights, view={"selected": 9, "percent": 90}))
    page.locator(".holder canvas").hover(position=place(page, 400, 123, n=512))
    value = page.evaluate("(w) => w === 0 ? '0' : w.toPrecision(4)", float(weights[400, 123]))
    expect(page.locator(".pointed")).to_have_text(f"·400 → ·123: {value}")


def test_keys_move_over_the_map(one_head: Page) -> None:
    one_head.locator(".holder canvas").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        one_head.keyboard.press(key)
    expect(one_head.locator(".pointed")).to_contain_text("·tired → ·animal: ")
    one_head.keyboard.press("Enter")
    one_head.wait_for_timeout(250)
    assert sent(one_head)[0][1]["selected"] == 4


def test_removed_mass_is_told_and_an_empty_row_has_no_set(page: Page) -> None:
    weights = np.zeros((5, 5), dtype=np.float32)
    mount_map(page, map_data(weights, np.array([0.1, 0.2, 0.3, 0.5, 1.0], dtype=np.float32)))
    expect(page.locator(".removed")).to_have_text("Removed: 0.5000")
    expect(page.locator(".pointed")).to_have_text("Nothing is left of <b>too</b>.")
    expect(page.locator(".token.chosen")).to_have_count(0)


def test_a_translation_shows_who_asks(page: Page) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=2).astype(np.float32)
    head = {"queries": ["chat", "noir"], "keys": ["·the", "·black", "·cat"], "causal": False, "dir": "rtl"}
    mount_map(page, map_data(weights, **head, view={"selected": None, "percent": 80}))
    assert page.locator(".token").all_inner_texts() == ["noir", "·the", "·black", "·cat"]
    page.locator(".token.key").first.hover()
    expect(page.locator(".pointed")).to_contain_text("noir → ·the: ")
    page.locator(".token.key").first.click()
    page.wait_for_timeout(250)
    assert sent(page) == []


# ---------------------------------------------------------------- taken away


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_a_canvas_can_be_saved(kind: str, magic: bytes, one_head: Page) -> None:
    one_head.evaluate(
        """async ([source, kind]) => {
          document.body.className = "st-key-map";
          const bar = document.createElement("div");
          const button = document.createElement("button");
          button.dataset.kind = kind;
          bar.append(button);
          document.body.append(bar);
          const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const data = { picture: "map", fileName: "map", labels: { png: "PNG", svg: "SVG" } };
          (await import(url)).default({ parentElement: bar, data });
        }""",
        [components.script("save_picture/save_picture"), kind],
    )
    with one_head.expect_download() as download:
        one_head.get_by_role("button", name=kind.upper()).click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(magic)
    canvas = one_head.locator(".holder canvas").evaluate("(c) => [c.width, c.height, c.toDataURL()]")
    if kind == "png":
        assert [int.from_bytes(content[at : at + 4], "big") for at in (16, 20)] == canvas[:2]
    else:
        assert canvas[2] in content.decode()
