"""A teacher and students in Chromium: views that are sent, texts that are kept, training that rests."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.sync.client import connect

from benchmarks.live_server import LiveServer
from tests.browser.conftest import STILL, TIMEOUT_MS, VIEWPORT
from tests.browser.reader import Watch, sentence_box, wait_run, watch

PASSWORD = "teach-the-class-7"
NAMES = ("Minaeyo7", "Junseo8", "하늘바다9")
OWN_TEXT = "I am in the middle of typ"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def school(folder: Path) -> Iterator[LiveServer]:
    """A server with a teacher's password, whose temporary files are all in one folder."""
    (folder / "teacher.txt").write_text(PASSWORD + "\n", "utf-8")
    (folder / "tmp").mkdir()
    options = ("--teacher-password-file", str(folder / "teacher.txt"))
    with LiveServer.playground(*options, env={"TMPDIR": str(folder / "tmp")}) as live:
        live.wait_ready()
        yield live


@pytest.fixture
def open_tab(browser: Browser, school: LiveServer) -> Iterator[Open]:
    """Opens a path in a browser of its own; the test fails if anything in one went wrong unseen."""
    contexts: list[BrowserContext] = []
    seen: list[Watch] = []

    def open_(path: str, locale: str = "en-US") -> Page:
        context = browser.new_context(viewport=VIEWPORT, locale=locale)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(f"({STILL})()")
        contexts.append(context)
        page = context.new_page()
        seen.append(watch(page))
        page.goto(school.url + path)
        wait_run(page)
        return page

    yield open_
    exceptions = [one.get_by_test_id("stException").count() for context in contexts for one in context.pages]
    for context in contexts:
        context.close()
    assert [trouble for one in seen for trouble in one.troubles] == []
    assert not any(exceptions)


def teacher_in(open_tab: Open) -> Page:
    page = open_tab("/classroom?lang=en")
    page.get_by_text("For teachers").click()
    page.locator(".st-key-class_given input").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    begin, end = (page.get_by_role("button", name=name) for name in ("Begin a class", "End the class"))
    expect(begin.or_(end)).to_be_visible()
    if begin.count():
        begin.click()
    expect(end).to_be_visible()
    return page


def student_in(open_tab: Open, path: str, name: str, locale: str = "en-US") -> Page:
    page = open_tab(path, locale)
    field = page.locator(".st-key-class_nickname input")
    field.fill(name)
    field.press("Enter")
    expect(page.locator(".st-key-class_line")).to_contain_text(name)
    wait_run(page)
    return page


def end_class(teacher: Page) -> None:
    teacher.get_by_role("button", name="End the class").click()
    expect(teacher.get_by_role("button", name="Begin a class")).to_be_visible()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def send(teacher: Page, link: str) -> float:
    teacher.locator(".st-key-class_link input").fill(link)
    teacher.get_by_role("button", name="Send to all who follow").click()
    return time.monotonic()


def test_three_students_follow_with_the_whole_state_and_find_their_own_again(
    open_tab: Open, school: LiveServer, folder: Path
) -> None:
    teacher = teacher_in(open_tab)
    students = [
        student_in(open_tab, "/tokenization?lang=en&text=My+own+words", NAMES[0]),
        student_in(open_tab, "/attention?lang=en&text=Somewhere+else&att_sort=true", NAMES[1]),
        student_in(open_tab, "/?lang=ko", NAMES[2], "ko-KR"),
    ]
    for name in NAMES:
        expect(teacher.locator(".st-key-class_map")).to_contain_text(name)
    sentence_box(students[0]).click()
    sentence_box(students[0]).fill(OWN_TEXT)  # and not sent: the field is still being typed in
    sent_at = send(teacher, f"{school.url}/attention?text=The+cat+sat&lang=en")
    for page in students:
        page.wait_for_url(re.compile(r"/attention\?.*text=The(\+|%20)cat(\+|%20)sat"))
        wait_run(page)
        expect(sentence_box(page)).to_have_value("The cat sat")
        assert "att_sort" not in page.url, "what the link leaves away is as it is at first"
    assert time.monotonic() - sent_at < 30  # 2 s on a quiet machine
    expect(students[2].get_by_test_id("stSidebar")).to_contain_text("내 문장")  # their own language
    expect(teacher.locator(".st-key-class_map")).to_contain_text("Attention3")

    students[0].get_by_role("button", name=f"Back to Tokenization, as I left it: {OWN_TEXT[:24]}").click()
    students[0].wait_for_url(re.compile("/tokenization"))
    wait_run(students[0])
    expect(sentence_box(students[0])).to_have_value(OWN_TEXT)
    students[1].get_by_role("button", name=re.compile("Back to Attention")).click()
    students[1].wait_for_url(re.compile("att_sort=true"))
    wait_run(students[1])
    expect(sentence_box(students[1])).to_have_value("Somewhere else")

    students[2].get_by_role("button", name="따라가기 멈추기").click()
    expect(students[2].get_by_role("button", name="다시 따라가기")).to_be_visible()
    send(teacher, "/positions")
    students[0].wait_for_url(re.compile("/positions"))
    expect(students[2].get_by_role("button", name=re.compile("페이지로 가기"))).to_be_visible()
    assert "/attention" in students[2].url
    students[2].get_by_role("button", name="다시 따라가기").click()
    students[2].wait_for_url(re.compile("/positions"))

    students[0].reload()
    wait_run(students[0])
    expect(students[0].locator(".st-key-class_line")).to_contain_text(NAMES[0])
    assert "/positions" in students[0].url, "a reload follows no view again"

    end_class(teacher)
    expect(students[0].locator(".st-key-class_line")).to_have_count(0)
    log = school.log()
    assert not [word for word in (*NAMES, PASSWORD, OWN_TEXT) if word in log]
    words = [word.encode() for word in (*NAMES, PASSWORD)]
    assert not [path for path in files_in(folder / "tmp") if any(word in path.read_bytes() for word in words)]


def test_a_poll_from_the_question_to_the_file(open_tab: Open, school: LiveServer, folder: Path) -> None:
    teacher = teacher_in(open_tab)
    students = [
        student_in(open_tab, "/tokenization?lang=en", NAMES[0]),
        student_in(open_tab, "/?lang=en", NAMES[1]),
        student_in(open_tab, "/?lang=ko", NAMES[2], "ko-KR"),
    ]
    teacher.get_by_test_id("stMain").get_by_text("Poll", exact=True).click()
    teacher.get_by_role("button", name="Open the poll").click()
    boxes = [page.locator(".st-key-poll_box") for page in students]
    for box in boxes:
        expect(box.get_by_role("button")).to_have_count(4)  # without a reload, on every page
    options = [button.inner_text() for button in boxes[0].get_by_role("button").all()]
    for box, chosen in zip(boxes, (1, 1, 2), strict=True):
        box.get_by_role("button").nth(chosen).click()
        expect(box.get_by_role("button").nth(chosen)).to_have_attribute("kind", "primary")
    expect(teacher.get_by_text("3 votes of 3")).to_be_visible()
    assert not [box for box in boxes if "%" in box.inner_text()], "nothing is told before the reveal"

    teacher.get_by_role("button", name="Reveal").click()
    expect(boxes[0]).to_contain_text("2 of 3 chose")
    expect(boxes[2]).to_contain_text("3명 가운데 2명")
    expect(boxes[0].get_by_text("your vote")).to_have_count(1)
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Answers as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert [row["nickname"] for row in rows] == list(NAMES)
    assert [row["option"].strip() for row in rows] == [options[place].strip() for place in (1, 1, 2)]

    end_class(teacher)
    expect(boxes[0]).to_have_count(0)
    votes = [
        f"{name}{between}{row['option']}" for name in NAMES for row in rows for between in (",", " ", ": ")
    ]
    told = [school.log(), *(path.read_text("utf-8", "replace") for path in files_in(folder / "tmp"))]
    assert not [word for word in (*NAMES, *votes) for text in told if word in text]


def test_training_rests_for_all_and_goes_on(open_tab: Open) -> None:
    teacher = teacher_in(open_tab)
    student = student_in(open_tab, "/finetuning?lang=en", NAMES[0])
    student.locator(".st-key-fin_start button").click()
    running = student.get_by_test_id("stMain").get_by_text(re.compile(r"Training: step [1-9]"))
    expect(running.first).to_be_visible()
    teacher.get_by_role("button", name="Pause training for all").click()
    resting = student.get_by_text(
        re.compile(r"Paused after step \d+ of \d+ · Your teacher has paused training")
    )
    expect(resting).to_be_visible()
    expect(student.locator(".st-key-class_line")).to_contain_text("Your teacher has paused training.")
    at = resting.inner_text()
    student.wait_for_timeout(3_000)
    assert resting.inner_text() == at
    expect(teacher.get_by_text("Trainings running 0")).to_be_visible()

    other = open_tab("/finetuning?lang=en")  # who has not joined is refused, too
    other.locator(".st-key-fin_start button").click()
    expect(other.get_by_test_id("stAlert").get_by_text("Your teacher has paused training.")).to_be_visible()

    teacher.get_by_role("button", name="Let training go on").click()
    expect(resting).to_have_count(0)
    step = int(re.findall(r"step (\d+)", at)[0])
    expect(
        student.get_by_test_id("stMain").get_by_text(re.compile(rf"Training: step {step + 1}\b|Done"))
    ).to_be_visible()
    student.get_by_role("button", name="Stop", exact=True).click()
    end_class(teacher)


def test_a_stranger_who_sends_what_a_teacher_sent_does_nothing(open_tab: Open, school: LiveServer) -> None:
    teacher = teacher_in(open_tab)
    sent: list[bytes] = []
    spy = open_tab("/classroom?lang=en")
    teacher.context.close()
    teacher = open_tab("/classroom?lang=en")
    del spy
    teacher.on("websocket", lambda socket: socket.on("framesent", lambda frame: _keep(sent, frame)))
    teacher.reload()
    wait_run(teacher)
    teacher.get_by_text("For teachers").click()
    teacher.locator(".st-key-class_given input").fill(PASSWORD)
    teacher.get_by_role("button", name="Sign in").click()
    expect(teacher.get_by_role("button", name="End the class")).to_be_visible()
    n_before = len(sent)
    teacher.get_by_role("button", name="Pause training for all").click()
    expect(teacher.get_by_role("button", name="Let training go on")).to_be_visible()
    teacher.get_by_role("button", name="Let training go on").click()
    expect(teacher.get_by_role("button", name="Pause training for all")).to_be_visible()
    deeds = sent[n_before:]
    assert len(deeds) >= 2

    port = school.url.rpartition(":")[2]
    address, origin = f"ws://127.0.0.1:{port}/_stcore/stream", school.url
    with connect(address, subprotocols=["streamlit"], origin=origin, max_size=None) as stranger:  # type: ignore[arg-type,list-item]
        for message in deeds:
            stranger.send(message)
            time.sleep(0.5)
        time.sleep(1)
    teacher.wait_for_timeout(3_000)
    expect(teacher.get_by_role("button", name="Pause training for all")).to_be_visible()
    expect(teacher.get_by_role("button", name="Let training go on")).to_have_count(0)
    end_class(teacher)
    assert "Traceback" not in school.log()


def _keep(sent: list[bytes], frame: str | bytes) -> None:
    if isinstance(frame, bytes):
        sent.append(frame)
