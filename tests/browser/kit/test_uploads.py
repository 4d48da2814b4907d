"""Files as a class has them, in Korean: read right, shown before they are used, no word of English."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, Request, expect

from benchmarks.live_server import LiveServer
from tests.browser.conftest import OpenPage
from tests.browser.reader import choose_language, wait_run

FILES = {
    "cp949": (
        "번호,프롬프트\n1,안녕하세요 여러분\n2,대한민국의 수도는\n".encode("cp949"),
        "CP949 (EUC-KR)",
        "쉼표",
    ),
    "semicolon": ("번호;문장\n1;안녕하세요, 여러분\n2;대한민국의 수도는\n".encode(), "UTF-8", "세미콜론"),
    "cp1252": (
        "no\tprompt\n1\tDon’t panic, it’s a drill\n2\tCrème brûlée\n".encode("cp1252"),
        "Windows-1252",
        "탭",
    ),
    "utf-16": ("no|텍스트\n1|옛날 옛적에\n2|café\n".encode("utf-16"), "UTF-16", "세로줄"),
}
TEXTS = {
    "cp949": ["안녕하세요 여러분", "대한민국의 수도는"],
    "semicolon": ["안녕하세요, 여러분", "대한민국의 수도는"],
    "cp1252": ["Don’t panic, it’s a drill", "Crème brûlée"],
    "utf-16": ["옛날 옛적에", "café"],
}
DROP = """(zone, n) => {
  const files = new DataTransfer();
  for (let i = 0; i < n; i++) files.items.add(new File(["a"], `${i}.csv`));
  for (const kind of ["dragenter", "dragover"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
  window.dropNow = () => zone.dispatchEvent(
    new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }),
  );
}"""
# What is seen: text that is drawn, and what a style puts before and after an element.
SEEN = """(root) => [root, ...root.querySelectorAll("*")].filter((node) => (
  node.checkVisibility() && node.dataset.testid !== "stIconMaterial"
)).flatMap((node) => {
  const own = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data);
  const size = parseFloat(getComputedStyle(node).fontSize);
  const put = ["::before", "::after"].map((part) => getComputedStyle(node, part).content);
  return [...(size ? own : []), ...put.filter((text) => /^"/.test(text)).map((text) => JSON.parse(text))];
}).join("\\n")"""
FLOOD = """async ([url, token]) => {
  const answers = [];
  for (let n = 0; n < 100; n++) {
    const body = new FormData();
    body.append("a.csv", new File([new Uint8Array(4.9 * 2 ** 20)], "a.csv"));
    const headers = { "X-Xsrftoken": token };
    answers.push((await fetch(`${url}${n}`, { method: "PUT", body, headers })).status);
  }
  return answers;
}"""
ENGLISH = re.compile(r"Upload|per file|Limit|Drag|drop|allowed|must be|smaller|Error", re.IGNORECASE)


@pytest.fixture
def dialog(open_page: OpenPage) -> Locator:
    page = open_page("/?lang=ko")
    page.get_by_role("button", name="내 프롬프트").click()
    wait_run(page)
    return page.get_by_role("dialog")


def give(dialog: Locator, name: str, data: bytes) -> None:
    dialog.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})
    wait_run(dialog.page)


def seen(node: Locator) -> str:
    text: str = node.evaluate(SEEN)
    return text


def cell(dialog: Locator, text: str) -> Locator:
    """A cell of the table of the first rows, as a screen reader finds it."""
    return dialog.get_by_test_id("stDataFrame").locator("td").filter(has_text=text)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_right_and_shown_before_it_is_used(kind: str, dialog: Locator) -> None:
    data, encoding, separator = FILES[kind]
    give(dialog, f"{kind}.csv", data)
    expect(dialog.get_by_role("combobox", name="인코딩")).to_have_value(encoding)
    expect(dialog.get_by_role("combobox", name="구분 기호")).to_have_value(separator)
    expect(dialog.get_by_role("combobox", name="프롬프트가 있는 열")).to_have_value(re.compile("^2[.] "))
    expect(dialog).to_contain_text("프롬프트 2개를 읽었습니다.")
    for text in TEXTS[kind]:
        expect(cell(dialog, text)).to_be_attached()
    assert not ENGLISH.search(seen(dialog.get_by_test_id("stFileUploader")))
    dialog.get_by_role("button", name="이 프롬프트 쓰기").click()
    wait_run(dialog.page)
    dialog.get_by_role("combobox", name="이 프롬프트로 바꾸기").click()
    for n, text in enumerate(TEXTS[kind], 1):
        expect(dialog.page.get_by_role("option", name=f"{n}. {text}", exact=True)).to_be_visible()


def test_another_type_and_another_size_are_said_in_korean(dialog: Locator, tmp_path: Path) -> None:
    field = dialog.get_by_test_id("stFileUploader")
    give(dialog, "표.xlsx", b"PK")
    expect(dialog).to_contain_text("표.xlsx 파일은 여기서 읽을 수 없습니다.")
    give(dialog, "큰 파일.csv", b"x" * (6 * 2**20))
    expect(dialog).to_contain_text("큰 파일.csv 파일은 6.00 MB이고 한도는 1 MB입니다.")
    assert not ENGLISH.search(seen(field))
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(65 * 2**20)
    dialog.locator("input[type=file]").set_input_files(huge)
    expect(dialog.get_by_test_id("stFileChip")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_test_id("stFileChip").hover()
    dialog.page.wait_for_timeout(600)  # a tooltip would be there by now
    assert "한 번에 하나씩, 1 MB까지 올릴 수 있습니다" in seen(field), "the limit that its label names"
    assert not ENGLISH.search(seen(field))
    tooltips = dialog.page.get_by_test_id("stTooltipErrorContent")
    assert not any(tooltips.nth(n).is_visible() for n in range(tooltips.count()))


def test_files_that_are_dropped_are_told_so_in_korean(dialog: Locator) -> None:
    field = dialog.get_by_test_id("stFileUploader")
    zone = dialog.get_by_test_id("stFileUploaderDropzone")
    zone.evaluate(DROP, 2)
    expect(zone).to_contain_text("Drag and drop files here")  # there, but not seen
    assert "여기에 놓으세요" in seen(field)
    assert not ENGLISH.search(seen(field))
    dialog.page.evaluate("dropNow()")
    wait_run(dialog.page)
    assert not ENGLISH.search(seen(field))
    expect(dialog).to_contain_text("한 번에 파일 하나만 읽으므로")


def test_what_was_read_before_stays_when_the_next_file_is_bad(dialog: Locator) -> None:
    give(dialog, "a.csv", FILES["cp949"][0])
    dialog.get_by_role("button", name="이 프롬프트 쓰기").click()
    expect(dialog).to_contain_text("프롬프트 2개를 읽었습니다.")
    give(dialog, "b.csv", bytes(range(256)))
    expect(dialog).to_contain_text("어느 것으로도 읽히지 않습니다")
    expect(dialog).to_contain_text("프롬프트 2개를 읽었습니다.")


def test_a_file_of_unknown_encoding_is_asked_about(dialog: Locator) -> None:
    give(dialog, "a.csv", "prompt\nÀÉ\n".encode("cp1252"))
    expect(dialog).to_contain_text("파일의 인코딩을 알 수 없습니다.")
    expect(cell(dialog, "ÀÉ")).to_be_attached()
    expect(cell(dialog, "읠")).to_be_attached()
    expect(dialog.get_by_role("button", name="이 프롬프트 쓰기")).to_be_disabled()
    dialog.get_by_role("combobox", name="인코딩").click()
    dialog.page.get_by_role("option", name="Windows-1252").click()
    wait_run(dialog.page)
    expect(dialog).to_contain_text("프롬프트 1개를 읽었습니다.")
    expect(cell(dialog, "ÀÉ")).to_be_attached()


def test_the_words_of_a_field_follow_the_language(page: Page, open_page: OpenPage) -> None:
    open_page("/prompting?pro_panel=library&lang=ko")
    field = page.get_by_test_id("stFileUploader").first
    expect(field).to_be_visible()
    assert "파일 고르기" in seen(field)
    choose_language(page, "English")
    expect(field).to_be_visible()
    assert "Choose a file" in seen(field)
    assert "파일" not in seen(field)
    assert "per file" not in seen(field)


def test_no_table_offers_a_csv_of_streamlits_own(dialog: Locator) -> None:
    give(dialog, "a.csv", FILES["cp949"][0])
    dialog.get_by_test_id("stDataFrame").hover()
    expect(dialog.get_by_role("button", name="Search")).to_be_visible()
    expect(dialog.get_by_role("button", name="Download as CSV")).to_be_hidden()


def test_a_hundred_files_that_no_page_reads_are_bounded_by_the_server(
    page: Page, open_page: OpenPage, live: LiveServer
) -> None:
    """As one who sends them past the field does, where no page ever reads them."""
    open_page("/prompting?pro_panel=library&lang=en")
    process = psutil.Process(live.process.pid)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PUT" else None)
    field = page.locator(".st-key-pro_upload_field input[type=file]")
    field.set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"text,label"})
    wait_run(page)
    before = process.memory_info().rss
    assert page.evaluate(FLOOD, [sent[0].url, sent[0].headers["x-xsrftoken"]]) == [204] * 100
    assert process.memory_info().rss - before < 200 * 2**20  # 484 MB were sent
