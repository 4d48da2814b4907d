"""The panels below the sampler in Chromium."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.components.sampling_page import sentence, wait_drawn
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run


def test_another_token_makes_a_path_and_the_first_one_can_be_walked_again(
    page: Page, open_page: OpenPage, seen: Watch
) -> None:
    open_page("/sampling?sam_temperature=0&sam_max_new_tokens=10&text=Once upon a time")
    wait_drawn(page)
    seen.received.clear()
    page.get_by_role("button", name="Generate").click()
    tokens = page.locator(".scored-text .tokens .token")
    expect(tokens).to_have_count(10)
    wait_run(page)
    received = b"".join(frame for frame in seen.received if isinstance(frame, bytes))
    assert b"sam_go_on" in received
    assert b"Guess" not in received, "a click in the generator draws the generator alone, not the panels"
    first = tokens.all_inner_texts()
    tokens.nth(3).click()
    instead = page.locator(".scored-text .row:not(.own)").first
    wanted = instead.locator(".name").inner_text()
    instead.get_by_role("button", name="Go on from here").click()
    expect(tokens.nth(3)).to_have_text(wanted)
    path = page.get_by_role("combobox", name="Path")
    expect(path).to_have_value(f"2: 4 {wanted}")
    second = tokens.all_inner_texts()
    assert second[:4] == [*first[:3], wanted]
    assert len(second) == 10
    expect(page.locator(".st-key-sam_tree")).to_be_visible()
    path.click()
    page.get_by_role("option").first.click()
    expect(tokens.nth(3)).to_have_text(first[3])
    assert tokens.all_inner_texts() == first


def test_twenty_uploaded_prompts_become_a_table_and_its_file(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    lines = [f"The number {i} is" for i in range(20)]
    (tmp_path / "mine.txt").write_text("\n".join(lines))
    open_page("/sampling?sam_panel=batch&sam_batch_tokens=4")
    wait_drawn(page)
    page.get_by_role("button", name="My prompts").first.click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "mine.txt")
    page.get_by_role("button", name="Use these prompts").click()
    expect(page.get_by_text("20 prompts were read.")).to_be_visible()
    wait_run(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Continue all 20").click()
    expect(page.get_by_text("20 of 20 prompts continued")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-batch_run_csv button").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["prompt"] for row in rows] == lines
    assert all(float(row["perplexity"]) >= 1 for row in rows)


def test_a_number_that_cannot_be_does_not_stay_in_its_field(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?lang=en&sam_panel=many")
    field = page.locator(".st-key-sam_many_tokens input")
    for typed, used in (("500", "64"), ("1", "4"), ("700", "64"), ("800", "64")):
        field.fill(typed)
        field.press("Enter")
        expect(page.get_by_text(f"{typed} is not possible, only 4 to 64; it is {used} now")).to_be_visible()
        expect(field).to_have_value(used)
    field.fill("30")
    field.press("Enter")
    expect(page.get_by_text("is not possible")).to_have_count(0)
    expect(page).to_have_url(re.compile("sam_many_tokens=30"))


def test_token_by_token_then_on_then_stopped_then_to_the_end(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_max_new_tokens=40&sam_temperature=1")
    wait_drawn(page)
    text = page.get_by_text("The capital of England is│")
    for told in ("writes more. 1 token,", "writes more. 2 tokens,"):
        page.get_by_role("button", name="One token").click()
        expect(page.get_by_text(told)).to_be_visible()
    two = text.inner_text()
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(text).to_contain_text(re.compile(r"│[\s\S]{16,}"))
    page.locator(".st-key-sam_stop button").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_enabled()
    stopped = text.inner_text()
    assert stopped.startswith(two)
    page.wait_for_timeout(1_000)
    assert text.inner_text() == stopped
    page.get_by_role("button", name="Go on", exact=True).click()
    ended = re.compile("The model ended the text|The chosen length is reached")
    expect(page.get_by_text(ended)).to_be_visible()
    assert text.inner_text().startswith(stopped)
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_disabled()


def test_a_link_sets_a_and_b_and_a_released_slider_is_compared_at_once(
    page: Page, open_page: OpenPage
) -> None:
    link = "sam_panel=compare&sam_temperature=1&sam_top_p=1&sam_b_temperature=2&sam_b_top_k=5"
    open_page(f"/sampling?{link}")
    told = page.get_by_text("Tokens kept:")
    expect(told).to_contain_text("49,152 in A, 5 in B")
    expect(page.locator(".st-key-sam_both svg.marks")).to_be_visible()
    before = told.inner_text()
    page.locator(".sampler input[type=number]").nth(0).fill("1.5")
    page.keyboard.press("Enter")
    expect(told).not_to_have_text(before)
    page.get_by_role("button", name="Copy A to B").click()
    expect(told).to_contain_text("They agree on 100.0 %")
    expect(page).not_to_have_url(re.compile("sam_b_top_k"))


def test_a_search_grows_its_tree_and_names_the_best_text(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_panel=beam&sam_beam_tokens=6&sam_n_beams=3")
    page.get_by_role("button", name="Start the search").click()
    expect(page.get_by_text("The best beam,")).to_contain_text("bits of surprisal per token", timeout=60_000)
    expect(page.locator(".st-key-sam_beam_tree svg.marks")).to_be_visible()
    expect(page.locator(".st-key-sam_beam_lines svg.marks")).to_be_visible()


def test_a_guess_is_answered_and_a_token_given_up_is_scored(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_panel=guess")
    text = page.locator(".scored-text .tokens")
    field = page.locator(".st-key-sam_guess input")
    expect(field).to_be_visible()
    expect(text.locator(".token")).to_have_count(2)
    field.fill("<b>xylophone</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not <b>xylophone</b>.")).to_be_visible()
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_text("You found 0 of 1 tokens")).to_be_visible()
    expect(page.get_by_text("By Shannon's bound")).to_be_visible()
    expect(text.locator(".token")).to_have_count(3)


def test_a_greedy_choice_that_typical_cut_the_first_token_from_is_said(page: Page, follow: OpenPage) -> None:
    follow("/sampling?sam_temperature=0&sam_top_p=1&sam_typical_p=0.1&sam_order=llama.cpp")
    wait_drawn(page)
    assert "the most probable one of those that typical-p leaves" in sentence(page)
    rows = page.locator(".rows svg > g:visible").filter(has=page.locator("[data-kept]"))
    expect(rows.nth(0)).to_contain_text("·London")
    expect(rows.nth(0)).to_contain_text("cut")
    expect(rows.nth(1)).to_contain_text("100 %")
    assert page.locator(".sampler .chain li b").all_inner_texts()[-1].startswith("Temperature")
    page.locator(".sampler .orders [role=radio]").nth(0).click()
    expect(page.locator(".sampler .sentence")).to_contain_text("tokens, the most probable one. Entropy")
    expect(rows.nth(0)).to_contain_text("100 %")
