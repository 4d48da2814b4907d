"""Every page on a phone, by touch: nothing cut, nothing sideways, the picture first, its values by a tap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import AS_OPENED, FOLLOW, STILL, TIMEOUT_MS
from tests.browser.explore import PAGES
from tests.browser.reader import wait_run, watch

UPRIGHT: ViewportSize = {"width": 390, "height": 844}
TURNED: ViewportSize = {"width": 844, "height": 390}
FAULTS = Path(__file__).parents[1].joinpath("phone.js").read_text("utf-8")
# The first picture that is more than the ribbon, once it stands still: its place in the first screen.
FIRST_PICTURE = """async () => {
  const PICTURES = "[data-testid=stVegaLiteChart], [data-testid^=stBidiComponent]";
  const main = document.querySelector("[data-testid=stMain]");
  const first = () => {
    for (const node of main.querySelectorAll(PICTURES)) {
      const box = node.getBoundingClientRect();
      if (box.height >= 150 && !node.closest(".st-key-token_chips")) return [box.top, box.width, box.height];
    }
    return null;
  };
  const end = performance.now() + 60_000;
  for (let still = 0, before = ""; still < 20 && performance.now() < end; ) {
    await new Promise(requestAnimationFrame);
    const now = first();
    still = now && String(now) === before ? still + 1 : 0;
    before = String(now);
  }
  return first() ?? [Infinity, 0, 0];
}"""


class Phone:
    """A tab of a phone, and the server it knows."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.seen, self._url, self._is_open = page, watch(page), url, False

    def open(self, path: str) -> Page:
        """Go to a page, in the session that is open."""
        self.seen.forget()
        if self._is_open:
            self.page.evaluate(AS_OPENED)
            self.page.evaluate(FOLLOW, path)
        else:
            self.page.goto(self._url + path)
            self._is_open = True
        wait_run(self.page)
        return self.page


@pytest.fixture(scope="module")
def phone(browser: Browser, server_url: str) -> Iterator[Phone]:
    window = browser.new_context(viewport=UPRIGHT, is_mobile=True, has_touch=True, locale="en-US")
    window.set_default_timeout(TIMEOUT_MS)
    window.add_init_script(f"({STILL})()")
    expect.set_options(timeout=TIMEOUT_MS)
    yield Phone(window.new_page(), server_url)
    window.close()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_on_a_phone(phone: Phone, name: str, language: str) -> None:
    page = phone.open(f"/{'' if name == 'home' else name}?lang={language}")
    top, width, height = page.evaluate(FIRST_PICTURE)
    assert top <= UPRIGHT["height"] - 150, "the first picture is not in the first screen"
    assert width >= 300
    assert height >= 150
    assert page.evaluate(FAULTS) == []
    page.set_viewport_size(TURNED)
    page.evaluate(FIRST_PICTURE)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= TURNED["width"]
    page.set_viewport_size(UPRIGHT)
    assert phone.seen.troubles == []


@pytest.mark.parametrize("name", PAGES)
def test_its_panels_are_readable_on_a_phone(phone: Phone, name: str) -> None:
    page = phone.open(f"/{'' if name == 'home' else name}?lang=en")
    panels = page.locator("[class*=st-key-][class*=panel_choice] button, .st-key-emb_view_choice button")
    for panel in panels.all()[1:]:
        panel.tap()
        wait_run(page)
        page.evaluate(FIRST_PICTURE)
        assert page.evaluate(FAULTS) == [], panel.inner_text()
    assert phone.seen.troubles == []


class Tap(NamedTuple):
    """A place in a picture, and where its value is told; the place as shares of its width and height."""

    page: str
    picture: str
    told: str
    x: float = 0.5
    y: float = 0.5


TAPS = (
    Tap("", ".st-key-journey .spot > .token >> nth=1", ".st-key-journey .about"),
    Tap("tokenization", ".st-key-tok_rows .chip >> nth=1", ".st-key-tok_rows .about"),
    Tap("positions", ".st-key-pos_waves .picture image", ".st-key-pos_waves .detail"),
    Tap("positions", ".st-key-pos_clocks .picture circle >> nth=9", ".st-key-pos_clocks .detail"),
    Tap("attention", ".st-key-att_map canvas >> nth=0", ".st-key-att_map .pointed", 0.4, 0.7),
    Tap("attention", ".st-key-att_row_panel .row >> nth=1", ".st-key-att_row_panel .detail", 0.1),
    Tap("inside", ".st-key-ins_way .cell >> nth=-40", ".st-key-ins_way .detail"),
    Tap("sampling", ".st-key-sampler .rows", ".st-key-sampler .detail", 0.5, 0.4),
    Tap(
        "finetuning",
        ".st-key-fin_row_tokens .tokens .token:not(.first) >> nth=1",
        ".st-key-fin_row_tokens .detail",
    ),
    Tap("embeddings", ".st-key-emb_neighbours [class*=role-mark] path >> nth=3", ".vg-tooltip"),
    Tap("prompting", ".st-key-pro_answer [class*=role-mark] path >> nth=1", ".vg-tooltip"),
)


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.picture)
def test_a_tap_tells_a_value_and_leaves_it_there(phone: Phone, tap: Tap) -> None:
    page = phone.open(f"/{tap.page}?lang=en")
    page.evaluate(FIRST_PICTURE)
    told = page.locator(tap.told)
    before = told.inner_text() if told.count() else ""
    picture = page.locator(tap.picture)
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + tap.x * box["width"], box["y"] + tap.y * box["height"])
    expect(told).not_to_have_text(before)
    wait_run(page)  # a tap may also select, and the page is drawn anew
    assert any(digit in told.inner_text() for digit in "0123456789")
    assert told.inner_text() != before
    assert told.evaluate("node => node.getBoundingClientRect().left >= 0")
    assert phone.seen.troubles == []


def test_the_selected_head_and_column_are_in_view(phone: Phone) -> None:
    page = phone.open("/attention?lang=en&att_head=23.4")
    page.evaluate(FIRST_PICTURE)
    assert page.locator(".st-key-att_grid .holder").evaluate("node => node.scrollLeft") > 0
    page = phone.open("/inside?lang=en")
    page.evaluate(FIRST_PICTURE)
    frame, table = (page.locator(f".st-key-ins_way {part}").bounding_box() for part in (".frame", ".inside"))
    assert frame
    assert table
    assert frame["x"] + frame["width"] <= table["x"] + table["width"] + 2


def test_a_cut_label_small_type_and_a_wide_page_would_be_found(phone: Phone) -> None:
    page = phone.open("/?lang=en")
    page.evaluate(FIRST_PICTURE)
    assert page.evaluate(FAULTS) == []
    page.evaluate(
        """() => {
          const block = document.querySelector("[data-testid=stMainBlockContainer]");
          const put = (text, style) => {
            const node = Object.assign(document.createElement("p"), { textContent: text });
            node.style.cssText = style;
            block.prepend(node);
          };
          put("a label that ends", "width: 20px; overflow: hidden; white-space: nowrap");
          put("tiny", "font-size: 8px");
          put("wide", "width: 600px");
        }"""
    )
    found = " ".join(page.evaluate(FAULTS))
    assert "cut: p" in found
    assert "type of 8.0 px" in found
    assert "wide" in found.split(" cut:", maxsplit=1)[0]
