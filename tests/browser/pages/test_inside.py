"""The way through the layers in Chromium: what is clicked opens, what is pointed at is read."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, hears_once, wait_run, write

PARTS = 2 * 30 + 3  # SmolLM2: embedding, 30 blocks, final norm, logits


def picture(page: Page) -> Locator:
    return page.locator(".st-key-ins_way .inside svg")


def cell(page: Page, row: int, column: int) -> Locator:
    return picture(page).locator(f".cell[data-row='{row}'][data-column='{column}']")


def detail(page: Page) -> Locator:
    return page.locator(".st-key-ins_way .detail")


def opened(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stMarkdown").get_by_text(words)


@pytest.fixture
def inside(look_at: OpenPage) -> Page:
    page = look_at("/inside")
    expect(picture(page)).to_be_visible()
    expect(page.get_by_text("What does one state carry?")).to_be_visible()
    wait_run(page)
    return page


def test_the_model_is_drawn_part_by_part_and_its_answer_on_top(inside: Page) -> None:
    expect(picture(inside).locator(".part")).to_have_count(PARTS)
    expect(picture(inside).locator(".cell")).to_have_count(31 * 5)
    expect(cell(inside, 30, 4).locator("text")).to_have_text("·London")
    expect(detail(inside)).to_contain_text("·London 58.9 %")
    expect(detail(inside)).to_contain_text("rank 1 here")
    box = cell(inside, 30, 4).bounding_box()
    assert box is not None
    assert box["y"] < 500, "the answer is above the fold"


def test_the_sum_of_the_parts_is_shown_beside_the_logit(inside: Page) -> None:
    said = inside.get_by_text("Sum of all 61 parts").inner_text()
    total, logit = (float(re.findall(rf"{words}: (-?[\d.]+)\.", said)[0]) for words in ("parts", "own logit"))
    assert abs(total - logit) <= 1e-3


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_the_picture_can_be_saved(kind: str, inside: Page) -> None:
    button = inside.locator(".st-key-inside_way_save").get_by_role("button", name=kind)
    with inside.expect_download() as download:
        button.click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith({"PNG": b"\x89PNG", "SVG": b"<svg"}[kind])
    assert len(content) > 20_000


def test_pointing_reads_a_cell_or_a_part_and_asks_the_server_nothing(inside: Page, seen: Watch) -> None:
    inside.wait_for_timeout(300)
    seen.sent.clear()
    cell(inside, 29, 4).hover()
    expect(detail(inside)).to_contain_text("Layer 29, after “·is” (position 4): ·the 19.4 %")
    expect(detail(inside)).to_contain_text("rank 3 here")
    picture(inside).locator(".part[data-id='mlp.11']").hover()
    expect(detail(inside)).to_have_text(
        "Block 12, MLP: 2,654,208 parameters (gate_proj 1536×576, up_proj 1536×576, down_proj 576×1536)"
    )
    inside.mouse.move(0, 0)
    picture(inside).focus()
    for key, words in (("ArrowDown", "Layer 29"), ("ArrowLeft", "position 3"), ("ArrowUp", "Layer 30")):
        inside.keyboard.press(key)
        expect(detail(inside)).to_contain_text(words)
    assert seen.sent == []


def test_a_copied_state_changes_the_answer_of_the_other_sentence(inside: Page) -> None:
    said = inside.get_by_text("Sentence B continues with")
    expect(said).to_contain_text("·Paris (77.3 %); with the patched state, with ·London")
    field = inside.get_by_label("Sentence B", exact=True)
    field.fill("The capital of Germany is")
    field.press("Enter")
    wait_run(inside)
    expect(said).to_contain_text("·Berlin")
    for sentence in ("</script><script>alert(1)</script>", "😀", "대한민국의 수도는"):
        write(inside, sentence)
        expect(inside.get_by_test_id("stAlertContentWarning")).to_have_count(0)
    assert hears_once(inside.locator(".st-key-ins_way .inside"))


def test_a_click_opens_the_tensors_and_selects_the_token(inside: Page) -> None:
    picture(inside).locator(".part[data-id='attention.4']").click()
    wait_run(inside)
    expect(inside).to_have_url(re.compile("ins_part=attention.4"))
    expect(opened(inside, "Block 5, attention: 884,736 parameters")).to_be_visible()
    cell(inside, 20, 1).click()
    wait_run(inside)
    expect(inside).to_have_url(re.compile("token=1"))
    expect(inside.locator(".chip[aria-selected=true]")).to_have_text("·capital")
    expect(inside.get_by_text("is the best guess for good").filter(has_text="After ·capital")).to_be_visible()
    expect(opened(inside, "Block 20, MLP: 2,654,208 parameters")).to_be_visible()
    inside.reload()
    expect(inside.locator(".chip[aria-selected=true]")).to_have_text("·capital")
    expect(opened(inside, "Block 20, MLP: 2,654,208 parameters")).to_be_visible()


def test_a_hostile_sentence_is_text(page: Page, follow: OpenPage) -> None:
    follow(
        "/inside?text=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%20%3C%2Fscript%3E&ins_b=%3Cimg%20src%3Dx%3E"
    )
    expect(picture(page)).to_be_visible()
    expect(page.get_by_text("What does one state carry?")).to_be_visible()
    wait_run(page)
    assert page.locator(".inside img, .inside script, [data-testid=stMarkdown] img").count() == 0


def test_the_selected_column_comes_first_and_the_others_follow_by_themselves(inside: Page) -> None:
    write(inside, "The old teacher walked to the market and the")
    expect(picture(inside).locator(".cell")).to_have_count(31 * 9)
    expect(cell(inside, 30, 8).locator("text")).not_to_have_text("")
    expect(picture(inside).locator(".pending")).to_have_count(0)
    expect(picture(inside).locator(".cell text")).to_have_count(31 * 9)
    cell(inside, 4, 2).click()
    expect(detail(inside)).to_contain_text("Layer 4, after “·teacher” (position 2)")


def test_the_file_holds_every_position_also_those_that_are_not_drawn(inside: Page) -> None:
    """It is made when it is asked for, outside the page's own thread."""
    write(inside, "One two three four five six seven eight nine ten eleven twelve thirteen fourteen")
    expect(picture(inside).locator(".cell")).to_have_count(31 * 10)
    expect(picture(inside).locator(".pending")).to_have_count(0)
    button = inside.locator(".st-key-inside_way_csv").get_by_role("button")
    with inside.expect_download() as download:
        button.click()
    rows = pd.read_csv(Path(download.value.path()))
    assert rows.groupby("position")["layer"].count().tolist() == [31] * 14
    assert rows[(rows["layer"] == 30)]["answer_rank"].eq(1).all()


def test_a_part_of_a_syllable_is_its_syllable_in_a_cell_and_all_of_it_when_pointed_at(
    look_at: OpenPage,
) -> None:
    page = look_at(f"/inside?lang=ko&text={quote('대한민국의 수도는')}")
    texts = picture(page).locator(".cell text")
    texts.first.wait_for()
    shown = texts.all_text_contents()
    assert any(re.fullmatch(r"\([가-힣]\)", text) for text in shown)
    assert not [text for text in shown if re.match(r"[0-9A-F]{2}( [0-9A-F]{2})* \(", text)]
    page.locator(".cell", has_text=re.compile(r"^\([가-힣]\)$")).first.hover()
    expect(page.locator(".st-key-ins_way .detail")).to_contain_text(re.compile(r"[0-9A-F]{2} \([가-힣]\)"))
