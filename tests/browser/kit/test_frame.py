"""The frame in Chromium: links, reload, back, language, share, upload, keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from playground import navigation
from playground.paths import site_root
from playground.ui import state, text
from tests.browser.conftest import OpenPage
from tests.browser.reader import AFTER_DEBOUNCE, choose_language, jumps, sentence_box, wait_run, write

EVERY_STRING = """() => {
    const strings = [];
    const visit = (root) => {
        for (const node of root.querySelectorAll("*:not(pre *, [class*=url_of_] *)")) {
            for (const name of ["aria-label", "title", "placeholder", "alt"])
                if (node.getAttribute(name)) strings.push(node.getAttribute(name));
            for (const child of node.childNodes)
                if (child.nodeType === Node.TEXT_NODE) strings.push(child.data.trim());
            if (node.shadowRoot) visit(node.shadowRoot);
        }
    };
    visit(document.body);
    return strings;
}"""
FOREIGN = """() => {
    const count = (root) => [...root.querySelectorAll("*")].reduce(
        (n, node) => n + node.matches("img, script") + (node.shadowRoot ? count(node.shadowRoot) : 0), 0);
    return count(document.querySelector("[data-testid=stMain]"));
}"""
FOCUSED = """() => {
    let node = document.activeElement;
    while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return node.getAttribute("aria-label") || node.innerText || node.tagName;
}"""
PAGES = [page.name for page in navigation.PAGES]
REFUSE_THE_API = """async () => {
    await navigator.clipboard.writeText("");
    navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
}"""
TYPE_HALF_A_CHARACTER = r"""(box) => {
    const type = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    type.call(box, "half \ud83d here");
    box.dispatchEvent(new Event("input", { bubbles: true }));
}"""
KOREAN = "대한민국의 수도는"
MARKUP = "</script><img src=//a.co onerror=alert(1)>![](//a.co)<script>alert(2)"
SMOLLM, MINILM = "SmolLM2 135M Instruct", "MiniLM L6 v2"
MINILM_ID = "sentence-transformers/all-MiniLM-L6-v2"


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def expect_state(page: Page, sentence: str, model: str, title: str) -> None:
    expect(page.locator("[class*='st-key-model_choice'] input")).to_have_value(model)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(sentence_box(page)).to_have_value(sentence)


def title_of(name: str, language: str) -> str:
    path = site_root() / "assets" / "lessons" / language / f"{name}.md"
    return text.parse_lesson(path.read_text("utf-8")).title


def test_a_link_restores_text_model_and_language_and_so_does_reload(open_page: OpenPage) -> None:
    page = open_page(f"/?lang=ko&model={quote(MINILM_ID, safe='')}&text={quote(KOREAN)}")
    expect_state(page, KOREAN, MINILM, title_of("home", "ko"))
    page.reload()
    wait_run(page)
    expect_state(page, KOREAN, MINILM, title_of("home", "ko"))


def test_a_picker_whose_program_comes_late_shows_what_the_link_chose(page: Page, open_page: OpenPage) -> None:
    """Streamlit sends a value that a script set once; a slow line may bring the picker after the next run."""
    held: list[Route] = []
    page.route("**/Selectbox*.js", lambda request: held.append(request))
    open_page(f"/?lang=en&model={quote(MINILM_ID, safe='')}")
    choose_language(page, "한국어")
    assert held
    assert page.locator("[class*='st-key-model_choice'] input").count() == 0
    for request in held:
        request.continue_()
    page.unroute_all()
    expect_state(page, state.DEFAULT_TEXT, MINILM, title_of("home", "ko"))


def test_state_goes_along_from_page_to_page_and_back(follow: OpenPage) -> None:
    page = follow("/?lang=ko")
    write(page, KOREAN)
    page.get_by_test_id("stSidebarNav").get_by_text(title_of("sampling", "ko")).click()
    wait_run(page)
    expect_state(page, KOREAN, SMOLLM, title_of("sampling", "ko"))
    assert urlsplit(page.url).path == "/sampling"
    assert query(page) == {"lang": ["ko"], "text": [KOREAN]}
    page.go_back()
    wait_run(page)
    expect_state(page, KOREAN, SMOLLM, title_of("home", "ko"))


def test_the_open_page_and_the_model_are_in_sight_however_many_pages_there_are(open_page: OpenPage) -> None:
    page = open_page(f"/{PAGES[-1]}?lang=en")
    wait_run(page)
    menu = page.get_by_test_id("stSidebarNavItems")
    open_now = menu.locator("[aria-current='page']")
    expect(open_now).to_contain_text(title_of(PAGES[-1], "en"))
    expect(open_now).to_be_in_viewport(ratio=0.9)
    expect(page.locator("[class*='st-key-model_choice'] input")).to_be_in_viewport()
    assert menu.get_by_role("link").count() == len(PAGES)  # none behind a button
    assert page.get_by_test_id("stSidebarNavViewButton").count() == 0


def test_switching_the_language_keeps_every_widget_and_back_undoes_it(open_page: OpenPage) -> None:
    page = open_page("/sampling?lang=en")
    write(page, "Once upon a time")
    answer = page.locator("[class*=st-key-task_sampling] input").first
    answer.fill("3")
    answer.press("Enter")
    wait_run(page)
    choose_language(page, "한국어")
    expect_state(page, "Once upon a time", SMOLLM, title_of("sampling", "ko"))
    expect(page.locator("[class*=st-key-task_sampling] input").first).to_have_value(re.compile("^3"))
    page.go_back()
    wait_run(page)
    expect_state(page, "Once upon a time", SMOLLM, title_of("sampling", "en"))


def test_share_copies_a_link_that_opens_the_same_view(
    follow: OpenPage, context: BrowserContext, server_url: str
) -> None:
    """Without the clipboard API too: browsers hide it on plain http, as a class server in a school is."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server_url)
    page = follow("/sampling")
    write(page, KOREAN)
    button = page.get_by_role("button", name="Copy the link")
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query) == {"lang": ["en"], "text": [KOREAN]}
    page.evaluate(REFUSE_THE_API)
    expect(button).to_be_visible()
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.goto(link)
    wait_run(page)
    expect_state(page, KOREAN, SMOLLM, title_of("sampling", "en"))
    expect(button).to_be_visible()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("%ED%A0%80%ED%B0%80", ""),  # halves of a surrogate pair, as bytes
        ("a%00b%1B%5B31mc", "control characters"),
        ("a" * 20_000, "The text has 20,000 characters"),
    ],
    ids=["surrogates", "control", "long"],
)
def test_any_text_in_a_link_gives_a_picture_or_a_sentence(
    hostile: str, shown: str, open_page: OpenPage
) -> None:
    page = open_page(f"/?lang=en&text={hostile}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title_of("home", "en"))
    if shown:
        expect(page.get_by_test_id("stAlert").first).to_contain_text(shown)


def test_half_a_character_typed_is_read_as_no_character(follow: OpenPage) -> None:
    page = follow("/tokenization?lang=en")
    box = sentence_box(page)
    box.evaluate(TYPE_HALF_A_CHARACTER)
    box.press("Control+Enter")
    wait_run(page)
    expect(page.get_by_text("11 characters, 13 bytes: ")).to_be_visible()


def test_100_000_characters_typed_are_answered_with_a_sentence(follow: OpenPage) -> None:
    page = follow("/")
    write(page, "a" * 100_000)
    expect(page.get_by_test_id("stAlert").first).to_contain_text("100,000 characters")
    write(page, "short again")
    expect(page.get_by_test_id("stAlert").first).not_to_contain_text("characters and the limit")


def test_a_korean_excel_file_gives_its_good_rows_and_names_the_bad_one(open_page: OpenPage) -> None:
    page = open_page("/?lang=en")
    page.get_by_role("button", name="My prompts").click()
    wait_run(page)
    rows = f"번호,프롬프트\n1,{KOREAN}\n2,bad\x1brow\n3,나는 오늘\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "수업.csv", "mimeType": "text/csv", "buffer": rows.encode("cp949")}
    )
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 prompts were read")
    expect(dialog).to_contain_text("Row 3 of the file cannot be used")
    dialog.get_by_role("button", name="Use these prompts").click()
    dialog.get_by_role("combobox", name="Use this prompt").click()
    page.get_by_role("option", name=KOREAN).click()
    expect(dialog).to_be_hidden()
    wait_run(page)
    expect(sentence_box(page)).to_have_value(KOREAN)
    assert query(page)["text"] == [KOREAN]


def test_everything_in_the_sidebar_is_reached_with_the_tab_key(follow: OpenPage) -> None:
    page = follow("/?lang=en")
    reached: list[str] = []
    for _ in range(3 * len(PAGES) + 40):  # more than once around, should the page still be filling
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    walked = " | ".join(reached)
    for name in ("English", "Model", "Your sentence", "Code", "My prompts", "Copy the link"):
        assert name in walked, walked


SAID = {
    "attention": (re.compile("^헤드 .*[은는] 무엇을 볼까요\\?$"), "에서 가장 많이 보는 곳은"),
    "positions": ("되풀이됩니다", "반올림 오차"),
    "sampling": (re.compile(r"토큰 49,152개 가운데 [\d,]+개가 남았고"), "온도"),
    "inside": ("최종 답", "상태 하나에는 무엇이 담겨 있을까요?"),
    "prompting": (
        "모델은 프롬프트만 보고 과제를 배울 수 있을까요?",
        re.compile("예시가 4개일 때 모델이"),
        "후기",
    ),
}


@pytest.fixture(scope="module")
def korean() -> dict[str, str]:
    """Message id -> Korean, where they differ."""
    with (site_root() / "assets/locale/ko/LC_MESSAGES/playground.po").open("rb") as file:
        messages = read_po(file)
    return {m.id: str(m.string) for m in messages if isinstance(m.id, str) and m.id != m.string}


def test_a_walk_in_korean_meets_no_english_word_no_markup_and_no_jump(
    open_page: OpenPage, korean: dict[str, str]
) -> None:
    page = open_page(f"/?lang=ko&text={quote(KOREAN + MARKUP)}")
    for name in PAGES:
        if name != "home":
            page.get_by_test_id("stSidebarNav").get_by_text(title_of(name, "ko"), exact=True).click()
        expect_korean(page, name, korean)


def expect_korean(page: Page, name: str, korean: dict[str, str]) -> None:
    """No message id is left in English on the page, labels for screen readers included.

    Not looked at: code, and the hidden fields that carry settings in the URL.
    """
    expect(page.get_by_role("heading", level=1)).to_have_text(title_of(name, "ko"))
    wait_run(page)
    expect(page.get_by_test_id("stAlert").filter(has_text="hourglass_top")).to_have_count(0)  # a second model
    expect(page.get_by_text(korean["Take away"]).last).to_be_visible()  # the last to come
    wait_run(page)
    for words in SAID.get(name, ()):
        expect(page.get_by_text(words).first).to_be_visible()
    english = {msgid for msgid in korean if "{" not in msgid and len(msgid) > 3}
    until = time.monotonic() + 20  # what Streamlit says in English is put right once the page has rest
    while left := english & set(page.evaluate(EVERY_STRING)) - {"English"}:  # a language is named in itself
        assert time.monotonic() < until, f"{name}: {left}"
        page.wait_for_timeout(100)
    assert page.evaluate(FOREIGN) == 0, name
    assert jumps(page) == [], f"{name}: what is scrolled to takes the room that was kept for it"


def test_a_click_that_comes_before_the_answer_to_the_last_one_undoes_nothing(
    context: BrowserContext, server_url: str
) -> None:
    """On a busy server an answer takes seconds; the browser sends what it knew before with the next click."""
    page = context.new_page()
    answers: list[Callable[[], None]] = []
    is_busy = False

    def connect(reader: WebSocketRoute) -> None:
        server = reader.connect_to_server()
        server.on_message(lambda said: hear(partial(reader.send, said)))

    def hear(answer: Callable[[], None]) -> None:
        if is_busy:
            answers.append(answer)
        else:
            answer()

    page.route_web_socket("**/*", connect)
    page.goto(f"{server_url}/sampling?sam_temperature=0.4")
    wait_run(page)
    temperature = page.locator(".sampler input[type=number]").nth(0)
    expect(temperature).to_have_value("0.4")
    is_busy = True
    temperature.fill("2")
    page.keyboard.press("Enter")
    page.evaluate(AFTER_DEBOUNCE)
    page.locator("[class*='st-key-sam_panel_choice']").get_by_text("Many at once").click()
    page.evaluate(AFTER_DEBOUNCE)
    page.locator(".st-key-lang_choice").get_by_text("한국어", exact=True).click()
    page.evaluate(AFTER_DEBOUNCE)
    is_busy = False
    for answer in answers:
        answer()
    wait_run(page)
    assert query(page) == {"sam_temperature": ["2"], "sam_panel": ["many"], "lang": ["ko"]}
    expect(temperature).to_have_value("2")
    page.close()
