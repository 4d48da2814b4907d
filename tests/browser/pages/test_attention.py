"""The attention page in Chromium: painted, selected by clicks, exact when pointed at, restored by links."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.settings import DEFAULT_ENCODER
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, choose_language, wait_run

ANIMAL = "The animal didn't cross the street because it was too tired"
IT, THE_ANIMAL = 8, 1
LAYER, HEAD, WEIGHT = 13, 8, 0.7496  # where ` it` looks at ` animal`
NAME = f"{LAYER + 1}.{HEAD + 1}"  # as the page calls it
ACROSS, LEFT, TOP = (
    15,
    36,
    20,
)  # layers beside each other in the grid, and the room of its labels in layout.js


def url(**link: str) -> str:
    return "/attention?" + urlencode({"lang": "en", "text": ANIMAL} | link)


def grid(page: Page) -> Locator:
    return page.locator(".st-key-att_grid canvas").first


def map_of(page: Page) -> Locator:
    return page.locator(".st-key-att_map canvas").first


def colours(canvas: Locator) -> int:
    """How many different colours a canvas shows."""
    found: int = canvas.evaluate(
        """(canvas) => {
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
          return seen.size;
        }"""
    )
    return found


@pytest.fixture
def attention(follow: OpenPage) -> Page:
    page = follow(url())
    expect(grid(page)).to_be_visible()
    expect(map_of(page)).to_be_visible()
    wait_run(page)
    return page


def test_in_three_clicks_to_the_head_where_it_looks_at_animal(attention: Page) -> None:
    page = attention
    assert colours(grid(page)) > 50, "the grid is not blank"
    page.locator(".st-key-token_chips .chip").nth(IT).click()  # 1
    wait_run(page)
    page.get_by_role("combobox", name="Score").click()
    page.get_by_role("option", name="One link").click()  # 2
    wait_run(page)
    expect(page.get_by_text("From ·it to")).to_be_visible()
    box = grid(page).bounding_box()
    assert box is not None
    wide, high = (box["width"] - LEFT - 2) / ACROSS, ((box["height"] - 2) / 2 - TOP) / 9
    grid(page).click(position={"x": LEFT + (LAYER + 0.5) * wide, "y": TOP + (HEAD + 0.5) * high})  # 3
    wait_run(page)
    expect(page.get_by_text(f"What does head {NAME} look at?")).to_be_visible()
    expect(page.get_by_text("One link 0.750").first).to_be_visible()
    expect(page.get_by_text("·animal: 75.0 %").first).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(f"att_head={LAYER}.{HEAD}")))


def test_a_link_brings_back_head_switches_and_panel_and_korean_keeps_them(open_page: OpenPage) -> None:
    page = open_page(
        url(
            token=str(IT),
            att_head="13.8",
            att_off="25.3 0.1",
            att_sink="true",
            att_panel="off",
            att_score="link",
        )
    )
    expect(page.get_by_text("Off: 1.2, 26.4")).to_be_visible()
    expect(page.get_by_text("What does head 14.9 look at?")).to_be_visible()
    expect(page.get_by_text(re.compile("Hidden: The"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"After ·it, the next token changes by 0\.\d+ bits"))).to_be_visible()
    choose_language(page, "한국어")
    expect(page.get_by_text("헤드 14.9는 무엇을 볼까요?")).to_be_visible()
    expect(page.get_by_text("에서 가장 많이 보는 곳은")).to_be_visible()


def test_a_link_brings_back_the_model_and_its_sinks(open_page: OpenPage) -> None:
    page = open_page(url(model=DEFAULT_ENCODER, att_head="2.7", att_sink="true"))
    expect(page.get_by_text("What does head 3.8 look at?")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Hidden: \[CLS\], \[SEP\]"))).to_be_visible()


def test_pointing_reads_the_exact_weight_and_asks_nobody(follow: OpenPage, seen: Watch) -> None:
    page = follow(url(token=str(IT), att_head=f"{LAYER}.{HEAD}"))
    expect(map_of(page)).to_be_visible()
    wait_run(page)
    page.wait_for_timeout(300)
    seen.sent.clear()
    map_of(page).scroll_into_view_if_needed()
    map_of(page).focus()
    for _step in range(2):
        map_of(page).press("ArrowRight")
    panel = page.locator(".st-key-att_map")
    expect(panel.get_by_text(f"{WEIGHT:.4f}").first).to_be_visible()
    box = map_of(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6)
    assert not seen.sent


def test_bertviz_draws_offline_and_hostile_tokens_are_text(follow: OpenPage) -> None:
    hostile = '</script><img src=x onerror=alert(1)> "quoted" \\ back'
    page = follow("/attention?" + urlencode({"lang": "en", "text": hostile, "att_panel": "bertviz"}))
    frame = page.frame_locator("iframe[title*='BertViz'], iframe").last
    expect(frame.locator("svg").first).to_be_visible()
    expect(frame.get_by_text("script", exact=False).first).to_be_visible()
    assert frame.locator("img").count() == 0


# Where the machine is busy a click by hand comes after the end: this one comes with the first heads.
STOPS_AT_THE_FIRST_HEADS = """() => new MutationObserver((_, observer) => {
  const stop = document.querySelector(".st-key-att_rank_stop button");
  if (!stop || !/\\d+ of 270 heads/.test(document.body.innerText)) return;
  observer.disconnect();
  stop.click();
}).observe(document.body, { childList: true, subtree: true, characterData: true })"""


def test_ranking_shows_progress_and_can_be_stopped(follow: OpenPage) -> None:
    page = follow(url(att_panel="off", text=" ".join([ANIMAL] * 5)))
    page.evaluate(STOPS_AT_THE_FIRST_HEADS)
    page.get_by_role("button", name="Switch off each of the 270 heads").click()
    expect(page.get_by_text(re.compile(r"Stopped: \d+ of 270 heads"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"Rank correlation -?0\.\d\d: "))).to_be_visible()


def test_the_map_of_the_head_stands_beside_the_grid_above_the_fold(attention: Page) -> None:
    every, one = grid(attention).bounding_box(), map_of(attention).bounding_box()
    assert every is not None
    assert one is not None
    assert one["x"] > every["x"] + every["width"]
    assert max(box["y"] + box["height"] for box in (every, one)) <= 768
