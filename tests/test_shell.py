"""Streamlit's own files: packed, the same once unpacked; a sentence for a browser without JavaScript."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import file_util

from playground.shell import Packed, page_routes

STATIC = Path(file_util.get_static_dir())
SCRIPT = max((STATIC / "static" / "js").glob("index.*.js"), key=lambda path: path.stat().st_size)


async def _behind(request: Request) -> PlainTextResponse:
    return PlainTextResponse("not packed")


def _client(base: str = "") -> TestClient:
    routes = [*page_routes(base, ["", "sampling"]), Route("/{path:path}", _behind, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Packed, base_path=base)]))


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
