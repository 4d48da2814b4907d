"""The embeddings page in Chromium: a click on the map, turning it, links, files, the saved picture."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run

SENTENCES = "/embeddings?emb_view=sentences"


def marks(page: Page) -> Locator:
    return page.locator(".map path.mark")


@pytest.fixture
def sentence_map(page: Page, look_at: OpenPage) -> Page:
    look_at(SENTENCES)
    expect(marks(page)).to_have_count(36)
    return page


@pytest.fixture
def own_map(page: Page, open_page: OpenPage) -> Page:
    """In a session of its own, for sentences of its own."""
    open_page(SENTENCES)
    expect(marks(page)).to_have_count(36)
    return page


def mark(page: Page, row: int) -> Locator:
    return page.locator(f".map path.mark[data-row='{row}']")


def test_neighbours_of_the_selected_token_and_of_the_next_one(page: Page, follow: OpenPage) -> None:
    follow("/embeddings")
    picture = page.locator(".st-key-emb_neighbours svg.marks")
    expect(picture).to_contain_text("·Britain")
    expect(picture).to_contain_text("<filename>")
    page.locator(".chip", has_text="capital").click()
    expect(picture).to_contain_text("·capitals")
    wait_run(page)
    expect(page).to_have_url(re.compile("token=1"))
    box = picture.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 768, "the main picture is above the fold"
    main = page.locator("[data-testid=stMainBlockContainer]").bounding_box()
    assert main is not None
    assert box["x"] + box["width"] <= main["x"] + main["width"] + 1, "and inside the page"


def test_vectors_are_downloaded(sentence_map: Page) -> None:
    found: dict[str, Path] = {}
    for name in ("Vectors (.npy)", "Projector vectors (.tsv)", "Projector metadata (.tsv)"):
        with sentence_map.expect_download() as download:
            sentence_map.get_by_role("button", name=name).click()
        found[download.value.suggested_filename] = Path(download.value.path())
    vectors = np.load(found["vectors.npy"])
    assert vectors.shape == (36, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.loadtxt(found["vectors.tsv"], delimiter="\t"), vectors, atol=1e-6)
    assert len(found["metadata.tsv"].read_text("utf-8").splitlines()) == 37


@pytest.mark.parametrize(("name", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_the_map_can_be_saved(name: str, magic: bytes, sentence_map: Page) -> None:
    with sentence_map.expect_download() as download:
        sentence_map.locator(".st-key-embeddings_sentences_under").get_by_role("button", name=name).click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(magic)
    assert len(content) > 5_000


def test_pointing_at_a_point_names_it_without_asking_the_server(seen: Watch, look_at: OpenPage) -> None:
    page = look_at("/embeddings?emb_view=sentences")
    expect(marks(page)).to_have_count(36)
    wait_run(page)
    before = len(seen.sent)
    for row in (3, 9, 20):
        mark(page, row).hover()
        expect(page.locator(".map text.tag")).to_contain_text(f"{row + 1}. ")
    assert len(seen.sent) == before


def test_a_click_lists_the_neighbours_and_draws_lines_to_them(sentence_map: Page) -> None:
    mark(sentence_map, 0).click()
    wait_run(sentence_map)
    expect(sentence_map.locator(".map line.link")).to_have_count(6)
    expect(mark(sentence_map, 0)).to_have_attribute("aria-selected", "true")
    expect(sentence_map.get_by_text("Nearest to:")).to_contain_text("It rained all night.")
    mark(sentence_map, 0).click()
    wait_run(sentence_map)
    expect(sentence_map.locator(".map line.link")).to_have_count(0)


def test_the_map_turns_in_the_browser_alone(seen: Watch, follow: OpenPage) -> None:
    page = follow("/embeddings?emb_view=sentences&emb_dims=3")
    expect(marks(page)).to_have_count(36)
    wait_run(page)
    before, shape = len(seen.sent), mark(page, 5).get_attribute("d")
    box = page.locator(".map svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 500, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 620, box["y"] + 70, steps=6)
    page.mouse.up()
    turned = mark(page, 5).get_attribute("d")
    assert turned != shape
    page.locator(".map svg").focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert mark(page, 5).get_attribute("d") != turned
    assert len(seen.sent) == before


def test_keyboard_reaches_a_point_and_selects_it(sentence_map: Page) -> None:
    sentence_map.locator(".map svg").focus()
    for _ in range(3):
        sentence_map.keyboard.press("ArrowRight")
    expect(sentence_map.locator(".under .said")).to_contain_text("3. A cold wind")
    sentence_map.keyboard.press("Enter")
    wait_run(sentence_map)
    expect(mark(sentence_map, 2)).to_have_attribute("aria-selected", "true")


def test_a_link_brings_back_view_method_and_search(page: Page, open_page: OpenPage) -> None:
    query = "people lost their savings"
    open_page(
        f"/embeddings?emb_view=sentences&emb_method=tsne&emb_dims=3&emb_map_seed=4&emb_query={quote(query)}&lang=ko"
    )
    expect(marks(page)).to_have_count(36)
    expect(page.get_by_label("의미로 검색", exact=True)).to_have_value(query)
    expect(page.get_by_text("검색 결과:")).to_contain_text(query)
    expect(page.get_by_role("radio", name="t-SNE")).to_be_checked()
    expect(page.get_by_role("radio", name="3차원")).to_be_checked()


def test_a_file_of_hostile_sentences_is_text(own_map: Page) -> None:
    rows = [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "![](http://x)",
        ":red[x] $E=mc^2$",
    ]
    own_map.get_by_role("button", name="My sentences").click()
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": "\n".join(rows).encode()}
    own_map.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
    own_map.get_by_role("button", name="Use these sentences").click()
    expect(marks(own_map)).to_have_count(4)
    own_map.keyboard.press("Escape")
    mark(own_map, 0).hover(force=True)
    expect(own_map.locator(".map text.tag").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert own_map.locator(".map img, .map script").count() == 0


def test_five_hundred_sentences_show_progress_and_can_be_stopped(own_map: Page) -> None:
    rows = [
        f"Sentence number {i} tells how the {['cat', 'ship', 'market'][i % 3]} of {i * 7} went away."
        for i in range(500)
    ]
    own_map.get_by_role("button", name="My sentences").click()
    file = {"name": "a.txt", "mimeType": "text/plain", "buffer": "\n".join(rows).encode()}
    own_map.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
    own_map.get_by_role("button", name="Use these sentences").click()
    expect(own_map.get_by_test_id("stMain").get_by_text("of 500 sentences read")).to_be_visible()
    own_map.keyboard.press("Escape")
    own_map.get_by_role("button", name="Stop", exact=True).last.click()
    expect(own_map.get_by_test_id("stMain").get_by_text("of 500 sentences read and drawn")).to_be_visible()
    expect(marks(own_map)).not_to_have_count(0)  # the picture is drawn after the words
    assert marks(own_map).count() < 500
    own_map.get_by_role("radio", name="3 dimensions").click()
    own_map.get_by_role("button", name="Go on reading").click()
    expect(marks(own_map)).to_have_count(500)


def test_moving_the_layer_moves_the_points(page: Page, follow: OpenPage) -> None:
    follow("/embeddings?emb_view=context&emb_sample=spring")
    points = page.locator(".st-key-emb_context svg .mark-symbol.role-mark path")
    expect(points).to_have_count(9)
    wait_run(page)
    before = json.dumps(points.evaluate_all("paths => paths.map((p) => p.getAttribute('transform'))"))
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    wait_run(page)
    expect(page.get_by_text("At layer 0 the senses separate with 0.000")).to_be_visible()
    after = json.dumps(points.evaluate_all("paths => paths.map((p) => p.getAttribute('transform'))"))
    assert after != before
    expect(page).to_have_url(re.compile("emb_layer_30=0"))
