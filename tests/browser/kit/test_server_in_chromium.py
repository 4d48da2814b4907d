"""What only a browser shows of the server: its font offline, the class password."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from benchmarks.live_server import LiveServer
from playground.paths import site_root
from playground.ui import text
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, sentence_box, wait_run
from tests.server.test_gate import PASSWORD


def _fonts_of(page: Page, selector: str) -> set[str]:
    """Families Chromium really drew the first such element with."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert all(font["isCustomFont"] for font in fonts), fonts
    return {font["familyName"] for font in fonts}


def test_korean_is_drawn_with_the_bundled_font(open_page: OpenPage) -> None:
    page = open_page("/?lang=ko")
    heading = page.get_by_role("heading", level=1).first
    heading.wait_for()
    page.evaluate("document.fonts.ready.then(() => true)")
    assert "Pretendard Variable" in _fonts_of(page, "h1")


def test_the_page_under_test_would_notice_a_request_to_the_outside(open_page: OpenPage, seen: Watch) -> None:
    page = open_page("/")
    page.evaluate(
        "document.body.appendChild(document.createElement('img')).src = 'https://cdn.example/x.png'"
    )
    page.evaluate("setTimeout(() => { try { eval('1') } catch (error) { console.error(error.message) } })")
    page.wait_for_timeout(200)
    troubles = list(seen.troubles)
    seen.troubles.clear()
    assert any("cdn.example" in trouble and "Content Security Policy" in trouble for trouble in troubles)
    assert any("eval" in trouble for trouble in troubles), troubles
    page.goto("about:blank")  # which has no policy
    page.evaluate("new Image().src = 'http://192.0.2.1/x.png'")
    page.wait_for_timeout(200)
    assert any("request to the outside: http://192.0.2.1" in trouble for trouble in seen.troubles)
    seen.troubles.clear()


def test_a_class_enters_with_its_password_and_lands_where_it_wanted_in_its_own_language(
    browser: Browser, locked: LiveServer
) -> None:
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    page.goto(locked.url + "/sampling?text=" + quote("나는 오늘"))
    page.get_by_label("수업 비밀번호").fill("wrong password")
    page.get_by_role("button", name="들어가기").click()
    assert "비밀번호가 맞지 않습니다" in page.get_by_role("alert").inner_text()
    page.get_by_label("수업 비밀번호").fill(PASSWORD)
    page.get_by_role("button", name="들어가기").click()
    wait_run(page)
    lesson = text.parse_lesson((site_root() / "assets/lessons/ko/sampling.md").read_text("utf-8"))
    expect(page.get_by_role("heading", level=1)).to_have_text(lesson.title)
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(sentence_box(page)).to_have_value("나는 오늘")
    assert page.url.startswith(locked.url + "/sampling?")
    context.close()
