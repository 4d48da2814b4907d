"""The page on fine-tuning in Chromium: a run, its strength, the file out and in, its adapter elsewhere."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import choose_language, wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
PATIENCE_MS = 240_000  # on a machine that does other things
SHORT = "/finetuning?lang=en&fin_set=sentiment&fin_steps=1&fin_rate=0.005&fin_batch=2"


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    wait_run(page)


def panel(page: Page, name: str) -> None:
    page.locator("[class*='st-key-fin_panel_choice']").get_by_text(name, exact=True).click()
    wait_run(page)


def test_a_whole_run_a_stopped_one_its_strength_its_file_and_its_adapter_elsewhere(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    open_page(SHORT)
    expect(page.locator(".scored-text")).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"Of the \d+ tokens of this row \d+ count in the loss"))
    ).to_be_visible()
    click(page, "Start training")
    expect(page.get_by_test_id("stMain").get_by_text("Done: 1 step")).to_be_visible()
    wait_run(page)
    marks = page.locator(".st-key-fin_loss_picture svg .mark-symbol path")
    assert marks.count() >= 4, "held-out and general losses at steps 0 and 1"
    page.locator(".st-key-fin_steps").get_by_role("slider").press("End")
    wait_run(page)
    click(page, "Start training")
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile(r"Training: step (?:[2-9]|[1-9]\d+) of 200"))
    ).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).first.click()
    stopped = page.get_by_test_id("stMain").get_by_text(re.compile(r"Stopped after step \d+ of 200"))
    expect(stopped).to_be_visible(timeout=15_000)
    wait_run(page)
    expect(
        page.get_by_text(re.compile("The training loss fell from|The training loss went from"))
    ).to_be_visible()

    panel(page, "Before and after")
    expect(page.get_by_text(re.compile("The base begins with .* the adapter at 100 %"))).to_be_visible()
    page.get_by_role("slider", name="Strength of the adapter (percent)").press("Home")
    expect(page.get_by_text(re.compile("the adapter at 0 %"))).to_be_visible()
    wait_run(page)
    click(page, "Let both write")
    expect(page.locator(".st-key-fin_texts_under")).to_be_visible()
    before, after = page.locator("[data-testid=stText]").all_inner_texts()[-2:]
    assert before
    assert before == after, "strength 0 is the base"

    panel(page, "My adapters")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download for peft (.zip)").click()
    file = tmp_path / "adapter.zip"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as folder:
        assert set(folder.namelist()) == {
            "adapter_config.json", "adapter_model.safetensors", "run_card.json", "reproduce.py",
        }  # fmt: skip
        card = json.loads(folder.read("run_card.json"))
    assert card["settings"]["learning_rate"] == 0.005
    expect(stopped).to_contain_text(f"Stopped after step {len(card['train_loss'])} of 200")
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as folder:
        folder.writestr("adapter_model.bin", b"\x80\x04.")
    page.locator(".st-key-fin_adapter_upload_field input[type=file]").set_input_files(bad)
    expect(page.get_by_text("it has pickled weights, which can run foreign code.")).to_be_visible()
    choose_language(page, "한국어")
    expect(page.get_by_text("피클로 저장한")).to_be_visible()
    choose_language(page, "English")
    click(page, "Delete")
    page.locator(".st-key-fin_adapter_upload_field input[type=file]").set_input_files(file)
    expect(page.get_by_text(f"{card['settings']['name']} is ready: choose it as the model.")).to_be_visible()
    wait_run(page)
    click(page, "Use it on every page")
    expect(page).to_have_url(re.compile("%2B"))
    page.get_by_test_id("stSidebarNav").get_by_text("Sampling", exact=True).click()
    expect(page.get_by_role("heading", name="Sampling", exact=True)).to_be_visible()
    wait_run(page)
    used = re.compile(rf"adapter {re.escape(card['settings']['name'])}( · step \d+)? at 100 %")
    expect(page.get_by_text(used).first).to_be_visible()


def test_other_ways_are_points_and_one_begins_to_train(page: Page, open_page: OpenPage) -> None:
    open_page("/finetuning?lang=en&fin_panel=ways&fin_way=prompt&fin_way_size=4")
    marks = page.locator(".st-key-fin_ways_picture svg.marks .mark-symbol path")
    expect(marks.nth(4)).to_be_attached()
    expect(page.get_by_text(re.compile("Without training the held-out loss is"))).to_be_visible()
    page.get_by_role("button", name="Train this way").click()
    moves = re.compile(r"Training: step \d+ of 30|Waiting: place")
    expect(page.get_by_text(moves)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile(r"Stopped after step \d+ of 30"))
    ).to_be_visible(timeout=PATIENCE_MS)
    wait_run(page)
