"""The page on prompts in Chromium: build, upload, sweep with a stop, chat, and the files that come out."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.reader import Watch, choose_language, jumps, wait_run

pytestmark = pytest.mark.real
OpenPage = Callable[[str], None]
SWEEP_DONE = re.compile("the accuracy goes from")


def bars(page: Page) -> list[str]:
    """The shares beside the bars."""
    texts = page.locator(".st-key-pro_answer svg .mark-text.role-mark text").all_text_contents()
    return [text for text in texts if text.endswith("%")]


def test_examples_fill_the_prompt_and_move_the_answer(page: Page, follow: OpenPage, seen: Watch) -> None:
    follow("/prompting?pro_shots=0")
    blocks = page.locator(".prompt-blocks")
    expect(blocks.locator(".text .block.query")).to_have_count(1)
    expect(blocks.locator(".text .block.demonstration")).to_have_count(0)
    without = blocks.locator(".told").inner_text()
    slider = page.get_by_role("slider", name="Examples in the prompt")
    slider.focus()
    for _step in range(3):
        slider.press("ArrowRight")
    expect(blocks.locator(".text .block.demonstration")).to_have_count(3)
    wait_run(page)
    expect(page).to_have_url(re.compile("pro_shots=3"))
    expect(blocks.locator(".told")).not_to_have_text(without)
    assert len(bars(page)) == 4
    n_sent = len(seen.sent)
    expect(
        page.get_by_text(re.compile(r"With 3 examples .* of what the model gives to the labels"))
    ).to_be_visible()
    words_turn_into_tokens(blocks)
    assert len(seen.sent) == n_sent, "words and tokens change places in the browser alone"


def words_turn_into_tokens(blocks: Locator) -> None:
    literal = blocks.locator(".text").inner_text()
    blocks.get_by_role("checkbox").check()
    tokens = blocks.locator(".text .token")
    told = blocks.locator(".told").inner_text()
    assert told.startswith(f"{tokens.count()} of ")
    blocks.get_by_role("checkbox").uncheck()
    assert blocks.locator(".text").inner_text() == literal


def pick(page: Page, name: str, option: str) -> None:
    page.get_by_role("combobox", name=name, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    wait_run(page)


def test_choices_live_through_another_task_and_another_language(page: Page, follow: OpenPage) -> None:
    follow("/prompting?lang=en&pro_format=arrow&pro_shots=1")
    pick(page, "Task", "Yes or no")
    expect(page.locator(".prompt-blocks .block.query").last).to_contain_text("->")
    expect(page.get_by_test_id("stAlertContentWarning")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("pro_query"))
    choose_language(page, "한국어")
    expect(page.get_by_text("모델은 프롬프트만 보고 과제를 배울 수 있을까요?")).to_be_visible()
    wait_run(page)
    page.get_by_role("slider", name="프롬프트에 넣을 예시").focus()
    page.keyboard.press("ArrowRight")
    wait_run(page)
    expect(page).to_have_url(re.compile("pro_task=yes_no"))
    expect(page).to_have_url(re.compile("pro_format=arrow"))
    expect(page.locator("[class*='st-key-pro_task_choice'] input")).to_have_value("예 아니요")
    expect(page.get_by_test_id("stAlertContentWarning")).to_have_count(0)


def test_lists_show_the_words_of_the_task_and_of_the_language(page: Page, follow: OpenPage) -> None:
    follow("/prompting?lang=en&pro_format=arrow&pro_shots=1")

    def query() -> str:
        return page.locator("[class*='st-key-pro_query_choice'] input").input_value()

    reviews = query()
    shown = page.locator(".prompt-blocks .block.query").last
    expect(shown).to_contain_text(reviews)
    pick(page, "Task", "Yes or no")
    expect(shown).not_to_contain_text(reviews)
    expect(shown).to_contain_text(query())
    choose_language(page, "한국어")
    wait_run(page)
    expect(page.locator("[class*='st-key-pro_task_choice'] input")).to_have_value("예 아니요")
    expect(shown).to_contain_text(query())
    expect(page.locator("[class*='st-key-pro_format_choice'] input")).to_have_value("글 -> 레이블")


def upload(page: Page, file: Path) -> None:
    page.locator(".st-key-pro_upload_field input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Use this task").click()
    expect(page.get_by_text("8 examples were read.")).to_be_visible()
    wait_run(page)


def results(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.locator(".st-key-shots_csv button").click()
    return list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))


def test_a_korean_file_in_cp949_is_measured_with_a_stop(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    rows = [
        f"{word} 좋다,긍정" if i % 2 else f"{word} 싫다,부정" for i, word in enumerate("비눈해달별꽃새차")
    ]
    file = tmp_path / "내 과제.csv"
    file.write_bytes("\r\n".join(["text,label", *rows]).encode("cp949"))
    open_page("/prompting?pro_panel=library&pro_shots=2&pro_format=arrow")
    upload(page, file)
    expect(page.locator(".prompt-blocks .block.query").last).to_contain_text("다 ->")
    page.get_by_role("radio", name="How many examples").click()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text(re.compile(r"^[2-9] of \d+ prompts measured"))).to_be_visible()
    page.locator(".st-key-pro_sweep_stop button").click()
    stopped = page.get_by_text(re.compile(r"Stopped early: \d+ of \d+ prompts"))
    expect(stopped).to_be_visible()
    n_prompts = int(stopped.inner_text().split(" of ")[1].split()[0])
    wait_run(page)
    begun = results(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(SWEEP_DONE)).to_be_visible()
    expect(page.get_by_text("Stopped early")).to_have_count(0)
    wait_run(page)
    whole = results(page)
    assert 1 < len(begun) < len(whole) == n_prompts
    assert all(row in whole for row in begun)
    assert {row["n_items"] for row in whole} == {"4"}
    assert all(int(row["n_right"]) / 4 == pytest.approx(float(row["accuracy"])) for row in whole)


def test_a_chat_is_taken_apart_and_answered(page: Page, open_page: OpenPage) -> None:
    open_page("/prompting?pro_panel=chat&pro_chat_tokens=8&text=What is the capital of France?")
    expect(page.get_by_text("<|im_start|>user").first).to_be_visible()
    assert jumps(page) == [], "a click would go elsewhere"
    page.get_by_role("button", name="Let it answer").click()
    expect(page.get_by_text(re.compile(r"^The capital of France is"))).to_be_visible()
    wait_run(page)
    page.get_by_role("button", name="Continue the conversation").click()
    wait_run(page)
    expect(page.locator(".st-key-pro_chat_2 textarea")).to_have_value(re.compile("The capital of France is"))


def test_prompts_are_kept_and_come_back_from_their_file(page: Page, open_page: OpenPage) -> None:
    open_page("/prompting?pro_panel=library&pro_shots=1&pro_task=arithmetic")
    page.get_by_role("button", name="Save this prompt").click()
    wait_run(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    path = Path(download.value.path())
    (kept,) = [json.loads(line)["messages"] for line in path.read_text("utf-8").splitlines()]
    assert [one["role"] for one in kept] == ["system", "user", "assistant", "user"]
    file = path.with_suffix(".jsonl")
    file.write_text(path.read_text("utf-8").replace(kept[-1]["content"], "9 + 9"), "utf-8")
    page.locator(".st-key-pro_kept_upload_field input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Save these prompts").click()
    wait_run(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    assert [json.loads(line)["messages"][-1]["content"] for line in lines] == [kept[-1]["content"], "9 + 9"]
