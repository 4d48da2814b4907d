"""Streamlit's own files: packed, the same once unpacked; a sentence for a browser without JavaScript."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import file_util

from playground.notice import in_every_language
from playground.shell import PackedFiles, PagesOnly, page_routes
from tests.third_language import polish_too

STATIC = Path(file_util.get_static_dir())
SCRIPT = max((STATIC / "static" / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)


async def _behind(request: Request) -> PlainTextResponse:
    return PlainTextResponse("not packed")


def _client(base: str = "") -> TestClient:
    routes = [*page_routes(base, ["", "sampling"]), Route("/{path:path}", _behind, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(PackedFiles, base_path=base)]))


@pytest.mark.parametrize("base", ["", "/llm"])
def test_a_script_travels_packed_and_is_the_same_unpacked(base: str) -> None:
    client, path = _client(base), f"{base}/static/js/{SCRIPT.name}"
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert gzip.decompress(raw) == SCRIPT.read_bytes()
    assert len(raw) < SCRIPT.stat().st_size / 2


@pytest.mark.parametrize(
    ("method", "path", "accepts"),
    [
        ("GET", f"/static/js/{SCRIPT.name}", "identity"),
        ("POST", f"/static/js/{SCRIPT.name}", "gzip"),
        ("GET", "/static/js/../../index.html", "gzip"),
        ("GET", "/static/js/none.js", "gzip"),
        ("GET", "/media/x.js", "gzip"),
    ],
)
def test_everything_else_is_passed_on(method: str, path: str, accepts: str) -> None:
    assert _client().request(method, path, headers={"Accept-Encoding": accepts}).text == "not packed"


@pytest.mark.parametrize("base", ["", "/llm"])
def test_every_page_says_in_both_languages_that_it_needs_javascript(base: str) -> None:
    for page in ("", "sampling"):
        shown = _client(base).get(f"{base}/{page}").text
        assert shown.count("<noscript>") == 1
        assert "needs JavaScript" in shown
        assert "자바스크립트를 허용하세요" in shown
        assert "AI agents" not in shown.partition("<noscript>")[2].partition("</noscript>")[0]
        assert "<title>LLM Playground</title>" in shown
        assert '<div id="root"></div>' in shown


# ---------------------------------------------------------------- addresses of no page


def _pages(base: str = "") -> TestClient:
    routes = [Route("/{path:path}", _behind, methods=["GET", "POST"])]
    only = Middleware(PagesOnly, base_path=base, pages={"sampling", "inside"}, first="home")
    return TestClient(Starlette(routes=routes, middleware=[only]), follow_redirects=False)


@pytest.mark.parametrize("base", ["", "/llm"])
@pytest.mark.parametrize(
    ("query", "accepts", "words", "link"),
    [
        ("", "ko-KR,ko", "nosuch 페이지는 없습니다.", ""),
        ("", "en", "There is no page nosuch here.", ""),
        ("?lang=ko&text=a%26b", "en", "nosuch 페이지는 없습니다.", "?lang=ko&amp;text=a%26b"),
        ("?lang=en", "ko", "There is no page nosuch here.", "?lang=en"),
        ("?lang=%22%3E%3Cscript%3E", "ko", "nosuch 페이지는 없습니다.", "?lang=%22%3E%3Cscript%3E"),
    ],
)
def test_an_unknown_page_is_told_in_the_readers_language_with_a_way_on(
    base: str, query: str, accepts: str, words: str, link: str
) -> None:
    answer = _pages(base).get(
        f"{base}/nosuch{query}", headers={"Accept": "text/html", "Accept-Language": accepts}
    )
    assert answer.status_code == 404
    assert words in answer.text
    assert f'<a href="{base}/{link}">' in answer.text


def test_what_was_asked_for_is_shown_as_text() -> None:
    answer = _pages().get("/<script>alert(1)<%2Fscript>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<script>" not in answer.text


@pytest.mark.parametrize("base", ["", "/llm"])
def test_the_first_page_under_its_own_name_is_the_first_page(base: str) -> None:
    answer = _pages(base).get(f"{base}/home?lang=ko&text=a%20b", headers={"Accept": "text/html"})
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{base}/?lang=ko&text=a%20b"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/", "text/html"),
        ("/sampling", "text/html"),
        ("/sampling/", "text/html"),
        ("/login", "text/html"),
        ("/_stcore/health", "text/html"),
        ("/api/ready", "text/html"),
        ("/favicon.png", "text/html"),
        ("/assets/fonts/x.woff2", "text/html"),
        ("/nosuch", "*/*"),  # a script's request
    ],
)
def test_pages_files_and_scripts_are_passed_on(path: str, accept: str) -> None:
    assert _pages().get(path, headers={"Accept": accept}).text == "not packed"


def test_the_life_of_the_server_is_passed_on() -> None:
    """Else its engine would never start."""
    began = list[str]()

    @contextlib.asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        began.append("start")
        yield
        began.append("end")

    only = Middleware(PagesOnly, base_path="", pages={"sampling"}, first="home")
    with TestClient(Starlette(middleware=[only], lifespan=life)):
        assert began == ["start"]
    assert began == ["start", "end"]


def test_who_has_chosen_no_language_reads_all_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = ' <i lang="{language}">{words}</i>'
    with polish_too(tmp_path, monkeypatch):
        said = in_every_language("Ready", form)
        assert in_every_language("A & <b>", form) == "A &amp; &lt;b&gt;", (
            "what is not translated is said once"
        )
    assert said == 'Ready <i lang="ko">준비됨</i> <i lang="pl">Gotowy</i>'
