"""The page Seq2seq in Chromium: step through the decoder, pick a cell, train and stop, upload pairs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import choose_language, wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
UNROLLED, ALIGNMENT = ".st-key-seq_unrolled", ".st-key-seq_alignment"


def test_the_decoder_is_stepped_through_and_the_alignment_follows(page: Page, open_page: OpenPage) -> None:
    open_page("/seq2seq?lang=en&seq_step=1")
    sentence = page.locator(f"{UNROLLED} .sentence")
    expect(sentence).to_have_text(re.compile("^At step 1 the decoder reads “▷”.*and writes “2”"))
    bars = page.locator(f"{UNROLLED} rect.weight")
    assert bars.count() == len("May 5, 2026")
    slider = page.locator(f"{UNROLLED} input[type=range]")
    slider.press("ArrowRight")
    expect(sentence).to_have_text(re.compile("^At step 2 the decoder reads “2”.*and writes “0”"))
    expect(page).to_have_url(re.compile("seq_step=2"))
    wait_run(page)
    expect(page.locator(f"{ALIGNMENT} .sentence")).to_contain_text("Writing “0” (step 2)")
    page.locator(f"{UNROLLED} svg").get_by_text("■", exact=True).first.click()
    expect(sentence).to_have_text(re.compile("and writes “■”"))
    expect(page).to_have_url(re.compile("seq_step=11"))
    wait_run(page)
    before = page.locator(f"{ALIGNMENT} .sentence").inner_text()
    page.locator(f"{ALIGNMENT} image").first.click(position={"x": 5, "y": 5})
    expect(page.locator(f"{ALIGNMENT} .sentence")).to_contain_text("Writing “2” (step 1) looks at “M”")
    assert before != page.locator(f"{ALIGNMENT} .sentence").inner_text()
    expect(sentence).to_contain_text("At step 1 ")
    expect(page.locator(f"{ALIGNMENT} text.context")).to_contain_text(
        "of the context vector the network used"
    )
    choose_language(page, "한국어")
    expect(sentence).to_contain_text("디코더")
    field = page.get_by_label("입력", exact=True)
    field.fill("zzz §")
    field.press("Enter")
    expect(page.get_by_text("본 적이 없습니다")).to_be_visible()
    assert field.input_value() == "zzz §"


def test_two_networks_train_side_by_side_and_are_stopped(page: Page, open_page: OpenPage) -> None:
    open_page("/seq2seq?lang=en&seq_data=dates_ko&seq_steps=3000&seq_batch=16&seq_hidden=32")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text(re.compile(r"Training: step \d+ of 3000")).first).to_be_visible()
    expect(page.get_by_text("The alignment of one held-out pair grows clear")).to_be_visible()
    expect(page.locator(".st-key-seq_loss_picture svg .mark-symbol path").nth(1)).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).first.click()
    main = page.get_by_test_id("stMain")  # beside it, screen readers are told what the page computes
    expect(main.get_by_text(re.compile(r"Paused after step \d+ of 3000"))).to_be_visible()
    page.get_by_role("button", name="Go on", exact=True).click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    for left in (1, 0):
        wait_run(page)  # a button that is drawn anew in the middle of a click does not take it
        stop.first.click()
        expect(stop).to_have_count(left)
    expect(main.get_by_text(re.compile(r"Stopped after step \d+ of 3000"))).to_have_count(2)
    wait_run(page)
    page.get_by_role("button", name="Look at it above").last.click()
    expect(page.get_by_text(re.compile("my run 2: GRU, additive attention, step")).first).to_be_visible()
    wait_run(page)
    page.locator("[class*='st-key-seq_delete']").get_by_role("button").first.click()
    wait_run(page)
    assert page.get_by_role("button", name="Look at it above").count() == 1


def test_own_pairs_are_uploaded_and_one_with_an_empty_side_is_told(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    open_page("/seq2seq?lang=en&seq_data=own")
    file = tmp_path / "pairs.csv"
    file.write_text("source,target\n" + "".join(f"{'ab' * n},{n}\n" for n in range(1, 13)) + ",9\n", "utf-8")
    page.locator(".st-key-seq_upload_field input[type=file]").set_input_files(file)
    expect(page.get_by_text("Row 14 of the file cannot be used: the source is empty.")).to_be_visible()
    page.get_by_role("button", name="Use these pairs").click()
    wait_run(page)
    expect(page.get_by_text("12 pairs were read; 1 held out.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Source")).to_have_value(re.compile("^(ab)+$"))
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
