"""The index theatre in Chromium: a path is stepped, cells probed, buckets read, without the server."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.reader import wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
# The vectors are shipped, so that nothing has to be embedded first.
SHIPPED = "/retrieval?lang=en&ret_panel=theatre&ret_vectors=ours&ret_index="


@pytest.fixture
def sent(page: Page) -> list[str]:
    """What the browser has sent to the server."""
    frames: list[str] = []

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: frames.append(str(frame)[:80]))

    page.on("websocket", watch)
    return frames


def number(text: str, after: str) -> int:
    found = re.search(rf"{re.escape(after)}(\d+)", text)
    assert found, text
    return int(found[1])


def test_the_path_is_stepped_in_the_browser(page: Page, open_page: OpenPage, sent: list[str]) -> None:
    open_page(f"{SHIPPED}hnsw")
    told, slider = page.locator(".theatre .told"), page.locator(".theatre input[type=range]")
    expect(told).to_contain_text("of the 10 nearest found")
    wait_run(page)
    before = len(sent)
    page.get_by_role("button", name="From the start").click()
    title = page.locator(".theatre .stepper span").first
    top = number(title.inner_text(), "layer ")
    assert top >= 2
    expect(told).to_contain_text(f"Layer {top}: node")
    expect(page.get_by_role("button", name="Back", exact=True)).to_be_disabled()
    n_steps = number(title.inner_text(), "of ")
    layers = []
    for step in range(1, n_steps + 1):
        expect(title).to_contain_text(f"Step {step} of {n_steps}")
        layers.append(number(told.inner_text(), "Layer "))
        if step < n_steps:
            promised = re.search(
                r"(?:Next is the nearest candidate, node|with node) (\d+)", told.inner_text()
            )
            slider.press("ArrowRight")
            expect(title).to_contain_text(f"Step {step + 1} of {n_steps}")
            assert promised
            assert number(told.inner_text(), "node ") == int(promised[1])
    assert layers == sorted(layers, reverse=True)
    assert layers[0] == top
    assert layers[-1] == 0
    assert len(sent) == before, "a step has reached the server"


def test_a_chunk_is_read_by_a_tap(page: Page, open_page: OpenPage) -> None:
    open_page(f"{SHIPPED}hnsw")
    item = page.locator(".theatre .item.right").last
    expect(item).to_be_visible()
    name = item.inner_text().split()[0].removeprefix("#")
    item.click()
    expect(page.locator(".theatre .chunk b")).to_contain_text(f"Chunk {name}:")
    canvas = page.locator(".theatre .picture canvas")
    before = page.locator(".theatre .chunk q").inner_text()
    box = canvas.bounding_box()
    assert box
    for share in (0.15, 0.3, 0.5, 0.7, 0.85):
        canvas.click(position={"x": share * box["width"], "y": 0.5 * box["height"]})
    expect(page.locator(".theatre .chunk q")).not_to_have_text(before)


def test_more_cells_and_buckets_find_more(page: Page, open_page: OpenPage, sent: list[str]) -> None:
    for index, least in (("ivf", 10), ("lsh", 4)):
        open_page(f"{SHIPPED}{index}")
        told, slider = page.locator(".theatre .told"), page.locator(".theatre input[type=range]").first
        expect(told).to_contain_text("nearest found")
        wait_run(page)
        before = len(sent)
        slider.press("Home")
        first = int(re.findall(r"(\d+) of the 10 nearest", told.inner_text())[0])
        slider.press("End")
        last = int(re.findall(r"(\d+) of the 10 nearest", told.inner_text())[0])
        assert first <= last
        assert last >= least, index
        assert len(sent) == before


def test_a_phone_cuts_nothing(page: Page, open_page: OpenPage) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for index in ("hnsw", "ivf", "lsh", "pq", "flat"):
        open_page(f"{SHIPPED}{index}")
        expect(page.locator(".theatre .told")).not_to_be_empty()
        wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= 390, index
        boxes = [page.locator(name).bounding_box() for name in (".theatre .picture canvas", ".theatre .told")]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 391 for box in boxes), index
