"""The home page in Chromium: real numbers, real keys, hostile text, nothing cut."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import hears_once, wait_run, write

KOREAN = "대한민국의 수도는"
LONG = "It was the best of times, it was the worst of times, it was the age of wisdom, " * 5
TEXTS = {
    "short": "The capital of England is",
    "one token": "Hello",
    "korean": KOREAN,
    "long": LONG,
    "long words": "My\n internationalization SolidGoldMagikarp antidisestablishmentarianism of my",
    "right to left": "שלום עולם, what is",
    "emoji": "I ❤️ 👨‍👩‍👧‍👦 e\u0301",
    "no spaces": "a" * 300,
}
# The contrast of a chip's text with its own background, as the eye sees it (WCAG 2.2, 1.4.3).
CONTRAST = """chip => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const light = colour => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return Array.from({ length: 12 }, (_, i) => {
    chip.style.setProperty("--hue", i * 30);
    const style = getComputedStyle(chip);
    const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}"""

OUTSIDE = """svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text, rect")].map(node => [node.textContent || node.classList.value, node])
    .map(([name, node]) => [name, node.getBoundingClientRect()])
    .filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1
                      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
    .map(([name]) => name);
}"""
CROSSING = """svg => {
  const words = svg.querySelectorAll(".spot > .token, .of, .weight, .percent, .words, .title, .note");
  const boxes = [...words].filter(node => node.textContent.trim())
    .map(node => [node.textContent, node.getBoundingClientRect()]);
  const cross = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                       && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
  return boxes.flatMap(([name, a], i) =>
    boxes.slice(i + 1).filter(([, b]) => cross(a, b)).map(([other]) => [name, other]));
}"""


def picture(page: Page) -> Locator:
    svg = page.locator(".st-key-journey svg")
    svg.wait_for()
    return svg


def chips(page: Page) -> Locator:
    return page.locator(".st-key-token_chips .chip")


def about_chips(page: Page) -> Locator:
    return page.locator(".st-key-token_chips .about")


def at(text: str, **more: str) -> str:
    return "/?" + "&".join(f"{name}={quote(value)}" for name, value in {"text": text, **more}.items())


@pytest.mark.parametrize(("language", "title"), [("en", "Next token"), ("ko", "다음 토큰")])
def test_london_comes_next_with_its_probability(language: str, title: str, follow: OpenPage) -> None:
    page = follow(f"/?lang={language}")
    first = picture(page).locator(".next").first
    expect(first.locator(".token")).to_have_text("·London")
    about = first.get_attribute("aria-label") or ""
    assert float(about.split("p = ")[1]) == pytest.approx(0.589, abs=0.005)
    expect(first.locator(".percent")).to_have_text(re.compile(r"5[89]\.\d %"))
    expect(page.locator(".st-key-journey .title").last).to_have_text(title)
    expect(page.get_by_text("HuggingFaceTB/SmolLM2-135M-Instruct").last).to_be_visible()


@pytest.mark.parametrize(("language", "names"), [("en", list(TEXTS)), ("ko", ["short", "long words"])])
def test_nothing_is_cut_and_no_words_cross(language: str, names: list[str], follow: OpenPage) -> None:
    page = follow(at(TEXTS[names[0]], lang=language))
    for name in names:
        if name != names[0]:
            before = chips(page).first.inner_text()
            write(page, TEXTS[name])
            expect(chips(page).first).not_to_have_text(before)
        assert picture(page).evaluate(OUTSIDE) == [], name
        assert picture(page).evaluate(CROSSING) == [], name


def test_nothing_of_an_earlier_sentence_is_left(follow: OpenPage) -> None:
    """Streamlit calls a component anew for each sentence and ends none of the earlier calls."""
    page = follow(at("Hi"))
    write(page, "Seven eight nine ten")
    expect(chips(page)).to_have_text(["Seven", "·eight", "·nine", "·ten"])
    chips(page).last.focus()  # a place that the sentence before did not have
    expect(about_chips(page)).to_contain_text("token 4 of 4")
    assert hears_once(page.locator(".st-key-token_chips .ribbon"))
    assert hears_once(page.locator(".st-key-journey .journey"))
    wide = picture(page).get_attribute("viewBox") or ""
    page.set_viewport_size({"width": 1250, "height": 768})
    expect(picture(page)).not_to_have_attribute("viewBox", wide)
    page.wait_for_timeout(200)
    assert picture(page).locator(".spot .token").all_text_contents()[:4] == chips(page).all_text_contents()


def test_hostile_text_is_shown_as_text(follow: OpenPage) -> None:
    text = (
        "</script><script>window.broken=1</script><img src=x onerror=window.broken=1> ![](http://x.example)"
    )
    page = follow(at(text))
    picture(page)
    shown = "".join(chips(page).all_text_contents())
    assert shown == text.replace(" ", "·")
    assert page.evaluate("window.broken") is None
    for component in ("token_chips", "journey"):
        assert page.locator(f".st-key-{component} img, .st-key-{component} script").count() == 0


def test_two_thousand_emoji_are_drawn_and_answer(follow: OpenPage) -> None:
    page = follow(at("😀" * 2_000))
    expect(page.get_by_test_id("stAlert")).to_contain_text("tokens")
    chips(page).first.wait_for()
    n_tokens = chips(page).count()
    assert n_tokens >= 2_000
    chips(page).first.focus()
    page.keyboard.press("End")
    expect(about_chips(page)).to_contain_text(f"token {n_tokens} of {n_tokens}")


def test_first_screen_holds_the_whole_picture(look_at: OpenPage) -> None:
    box = picture(look_at("/")).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768


def test_picture_is_walked_with_the_keys(look_at: OpenPage) -> None:
    page = look_at("/")
    spots = picture(page).locator(".spot")
    about = page.locator(".st-key-journey .about")
    spots.first.focus()
    expect(about).to_contain_text("token 1 of 5")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(about).to_contain_text("·London")
    expect(about).to_contain_text("p = 0.58")
    page.keyboard.press("ArrowUp")
    expect(about).to_contain_text("attention")


def test_picture_can_be_saved(look_at: OpenPage, tmp_path: Path) -> None:
    page = look_at("/")
    picture(page)
    for suffix in ("PNG", "SVG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=suffix).click()
        download.value.save_as(tmp_path / suffix)
    assert (tmp_path / "PNG").read_bytes().startswith(b"\x89PNG")
    assert "oklab" not in (tmp_path / "SVG").read_text("utf-8"), "a colour that only browsers read"
    root = ElementTree.parse(tmp_path / "SVG").getroot()
    assert any(node.text == "·London" for node in root.iter("{http://www.w3.org/2000/svg}text"))
    assert not any(node.tag.endswith(("image", "foreignObject", "script")) for node in root.iter())


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 18, 22)")])
def test_the_theme_follows_the_readers_system_and_every_hue_can_be_read(
    scheme: Literal["light", "dark"], paper: str, page: Page, open_page: OpenPage
) -> None:
    page.emulate_media(color_scheme=scheme)
    chip = chips(open_page("/")).first
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "17px"
    ratios = chip.evaluate(CONTRAST)
    assert len(ratios) == 12
    assert min(ratios) >= 4.5, ratios


def test_nothing_moves_where_the_reader_wants_no_motion(page: Page, look_at: OpenPage) -> None:
    duration = "spot => parseFloat(getComputedStyle(spot).transitionDuration)"
    assert 0 < picture(look_at("/")).locator(".spot").first.evaluate(duration) <= 0.2
    page.emulate_media(reduced_motion="reduce")
    assert picture(page).locator(".spot").first.evaluate(duration) == 0


def test_ribbon_answers_to_mouse_and_keys_and_keeps_its_token_over_a_reload(follow: OpenPage) -> None:
    page = follow("/")
    picture(page)
    chips(page).nth(3).hover()
    expect(about_chips(page)).to_contain_text("token 4 of 5")
    expect(about_chips(page)).to_contain_text("bytes 20 45 6E 67 6C 61 6E 64")
    chips(page).nth(1).click()
    expect(chips(page).nth(1)).to_have_attribute("aria-selected", "true")
    expect(picture(page).locator(".spot.selected .token")).to_have_text("·capital")
    expect(page).to_have_url(re.compile(r"token=1"))
    page.reload()
    wait_run(page)
    expect(chips(page).nth(1)).to_have_attribute("aria-selected", "true")
    expect(about_chips(page)).to_contain_text("token 2 of 5")
    chips(page).nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(about_chips(page)).to_contain_text("token 4 of 5")
    page.keyboard.press("Enter")
    expect(picture(page).locator(".spot.selected .token")).to_have_text("·England")
    page.keyboard.press("Escape")
    expect(picture(page).locator(".spot.selected")).to_have_count(0)
    wait_run(page)
    expect(page).not_to_have_url(re.compile(r"token="))


def test_bytes_stand_under_their_character(follow: OpenPage) -> None:
    page = follow(at(KOREAN))
    shared = page.locator(".st-key-token_chips .shared")
    expect(shared.first.locator(".character")).to_have_text("대")
    assert (
        "".join(shared.first.locator(".chip").all_text_contents()).replace(" ", "")
        == "대".encode().hex().upper()
    )


def test_next_token_leads_to_sampling_with_the_sentence(follow: OpenPage, server_url: str) -> None:
    page = follow(at("Once upon a time", lang="ko"))
    station = picture(page).locator("a.station[href*='sampling']")
    address = station.get_attribute("href")
    page.evaluate("window.same_session = true")
    station.locator(".title").click()
    page.wait_for_url("**/sampling?*")
    wait_run(page)
    page.go_back()
    station.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sampling?*")
    wait_run(page)
    assert page.evaluate("window.same_session"), "the page was not loaded anew"
    expect(page.locator("textarea")).to_have_value("Once upon a time")
    page.goto(f"{server_url}/{address}")
    wait_run(page)
    expect(page.locator("textarea")).to_have_value("Once upon a time")
    expect(page.get_by_role("heading", name="샘플링")).to_be_visible()
