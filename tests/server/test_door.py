"""The door: foreign pages and names are turned away at once; every address keeps a proxy's path and TLS."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import InvalidStatus

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader
from playground import server
from playground.door import STREAM, Door
from playground.paths import site_root
from playground.sessions import Sessions
from playground.settings import Settings
from tests.server.test_gate import PASSWORD, ask, enter

SITE = "http://127.0.0.1:8501"
WEBSOCKET = f"ws://127.0.0.1:8501{STREAM}"
KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8", "Accept": "text/html"}


async def _page(request: Request) -> PlainTextResponse:
    response = PlainTextResponse(request.url.path)
    response.set_cookie("theirs", "1")
    return response


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


def _client(places: int = 5, url: str = SITE, **settings: Any) -> TestClient:
    made, base = Settings(**settings), settings.get("base_path", "")
    app = Starlette(
        routes=[
            WebSocketRoute(f"{base}{STREAM}", _stream),
            Route("/{path:path}", _page, methods=["GET", "PUT"]),
        ],
        middleware=[
            Middleware(server.SecurityHeaders),
            Middleware(Door, settings=made, sessions=Sessions(places, 60)),
        ],
    )
    return TestClient(app, base_url=url)


@pytest.fixture(autouse=True)
def _runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Mock(is_active_session=lambda session_id: False)
    monkeypatch.setattr("playground.door.runtime.get_instance", lambda: nobody)


# --- origin

ORIGINS = [
    "http://evil.example",
    "http://127.0.0.1:8502",
    "http://127.0.0.1",
    "http://localhost:8501",
    "http://127.0.0.1:8501.evil.example",
    "http://127.0.0.1:abc",
    "null",
    "",
    "file://",
    "127.0.0.1:8501",
    "http://evil.example\\@127.0.0.1:8501",
    "http://evil.example@127.0.0.1:8501",
    "http://127.0.0.1:8501/x",
    "http://127.0.0.1:8501, http://evil.example",
    "http://127.0.0.1:0000008501",
    "http://xn--127-0d4b001d.0.0.1:8501",
    "http://[::1",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_origin_gets_nothing(origin: str) -> None:
    client, headers = _client(), {"Origin": origin}
    with (
        pytest.raises(WebSocketDenialResponse) as caught,
        client.websocket_connect(WEBSOCKET, headers=headers),
    ):
        pass
    assert caught.value.status_code == 403
    assert "only pages of 127.0.0.1:8501 may ask" in caught.value.text
    for path in ("/", "/_stcore/health", "/_stcore/upload_file/a/b"):
        assert client.get(path, headers={"Origin": origin}).status_code == 403
    assert client.put("/_stcore/upload_file/a/b", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("origins", [(SITE, "http://evil.example"), ("http://evil.example", SITE)])
def test_of_several_origins_each_must_be_ours(origins: tuple[str, str]) -> None:
    door = Door(Mock(), Settings(), Sessions(5, 60))
    host = (b"host", b"127.0.0.1:8501")
    refusal = door._rejection(
        "http", "/", Headers(raw=[host, *((b"origin", one.encode()) for one in origins)])
    )
    assert refusal is not None
    assert refusal.status_code == 403
    assert door._rejection("http", "/", Headers(raw=[host, *[(b"origin", SITE.encode())] * 2])) is None


@pytest.mark.parametrize("origin", [SITE, "HTTP://127.0.0.1:8501", None])
def test_our_own_pages_and_programs_come_in(origin: str | None) -> None:
    client, headers = _client(), {"Origin": origin} if origin else {}
    with client.websocket_connect(WEBSOCKET, headers=headers) as websocket:
        websocket.send_text("x")
        assert websocket.receive_text() == "x"
    assert client.get("/sampling", headers=headers).text == "/sampling"


@pytest.mark.parametrize(("origin", "host"), [("https://a.example", "a.example:443"), ("http://a", "a:80")])
def test_a_port_that_goes_without_saying_is_the_same(origin: str, host: str) -> None:
    client = _client(class_password="six or more")
    assert client.get("/", headers={"Origin": origin, "Host": host}).status_code == 200


# --- host


FOREIGN_HOSTS = [
    "evil.example:8501", "192.0.2.1", "127.0.0.1.evil.example", "", "[", "0", "127.0.0.1@evil.example",
    "evil.example@127.0.0.1", "127.0.0.1/evil.example", "127.0.0.1#x", "127.0.0.1:123456", "127.0.0.1:-1",
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_name_that_is_not_ours_is_one_sentence_for_page_and_websocket(host: str) -> None:
    client, headers = _client(), {"Host": host}
    page = client.get("/", headers=headers | KOREAN)
    assert page.status_code == 403
    assert "주소로는 열리지 않습니다" in page.text
    assert 'lang="ko"' in page.text
    with (
        pytest.raises(WebSocketDenialResponse) as caught,
        client.websocket_connect(WEBSOCKET, headers=headers),
    ):
        pass
    assert "PLAYGROUND_ALLOWED_HOSTS" in caught.value.text


def test_a_name_from_outside_is_shown_as_text() -> None:
    page = _client().get("/", headers={"Host": "<script>x</script>", "Accept": "text/html"})
    assert page.status_code == 403
    assert "&lt;script&gt;x" in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:8501", "127.9.9.9"])
def test_this_machine_has_several_names(host: str) -> None:
    assert _client().get("/", headers={"Host": host}).status_code == 200


def test_a_password_or_the_list_lets_other_names_in() -> None:
    named = _client(allowed_hosts=("School.example",))
    assert named.get("/", headers={"Host": "school.example:8501"}).status_code == 200
    assert named.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert _client(class_password="six or more").get("/", headers={"Host": "room7.local"}).status_code == 200
    both = _client(class_password="six or more", allowed_hosts=("school.example",))
    assert both.get("/", headers={"Host": "room7.local"}).status_code == 403


# --- places


def test_the_one_too_many_reads_a_sentence_in_its_language_and_a_reload_does_not() -> None:
    client = _client(places=1)
    mine = {"Cookie": "_streamlit_xsrf=2|a"}
    with client.websocket_connect(WEBSOCKET, headers=mine):
        page = client.get("/sampling", headers=KOREAN)
        assert (page.status_code, page.headers["Refresh"]) == (503, "10")
        assert "1자리가 모두 찼습니다" in page.text
        assert "All 1 places are taken" in client.get("/", headers={"Accept": "text/html"}).text
        assert client.get("/sampling", headers=KOREAN | mine).status_code == 200
        assert client.get("/assets/x.js", headers=KOREAN).status_code == 200
        with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect(WEBSOCKET):
            pass
        assert caught.value.status_code == 503
    assert client.get("/sampling", headers=KOREAN).status_code == 200
    with client.websocket_connect(WEBSOCKET):
        pass


# --- behind a proxy


@pytest.mark.parametrize("passed_on", ["", "/llm"])
def test_the_base_path_is_there_whether_the_proxy_cuts_it_off_or_not(passed_on: str) -> None:
    client = _client(base_path="/llm")
    assert client.get(f"{passed_on}/sampling").text == "/llm/sampling"
    assert client.get("/llmother").text == "/llm/llmother"
    with client.websocket_connect(f"ws://127.0.0.1:8501{passed_on}{STREAM}") as websocket:
        websocket.send_text("x")
        assert websocket.receive_text() == "x"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/st-metrics/"])
def test_metrics_are_hidden_below_the_base_path_too(path: str) -> None:
    client = _client(base_path="/llm")
    assert client.get(path).status_code == 404
    assert client.get("/llm" + path).status_code == 404


def test_over_tls_every_cookie_is_secure_and_else_none() -> None:
    assert "; Secure" in _client(url="https://127.0.0.1:8501").get("/").headers["Set-Cookie"]
    assert "Secure" not in _client().get("/").headers["Set-Cookie"]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A locked server without a model, told that a proxy on this machine shows it below /llm."""
    folder = tmp_path_factory.mktemp("proxied")
    env = {
        "PLAYGROUND_CACHE_DIR": str(folder),
        "PLAYGROUND_DEFAULT_MODEL": "gpt2",
        "HF_HUB_OFFLINE": "1",
        "PLAYGROUND_CLASS_PASSWORD": PASSWORD,
        "PLAYGROUND_BASE_PATH": "/llm",
        "PLAYGROUND_TRUSTED_PROXIES": "127.0.0.1",
    }
    with LiveServer.playground(env=env) as live:
        yield live


def _netloc(live: LiveServer) -> str:
    return live.url.removeprefix("http://")


def test_behind_a_proxy_login_files_and_websocket_keep_path_and_tls(proxied: LiveServer) -> None:
    address, tls = _netloc(proxied), {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    page = ask(address, "/llm/sampling", Accept="text/html", **tls)
    assert (page.status, page.headers["Location"]) == (303, "/llm/login?next=%2Fllm%2Fsampling")
    answer = ask(address, "/llm/login?next=/llm/sampling", PASSWORD, **tls)
    assert (answer.status, answer.headers["Location"]) == (303, "/llm/sampling")
    assert answer.headers["Set-Cookie"].endswith("; Secure")
    assert "Path=/llm/;" in answer.headers["Set-Cookie"]
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    assert ask(address, "/llm/assets/fonts/OFL.txt", Cookie=cookie).status == 200
    assert (
        ask(address, "/llm/_stcore/health", Cookie=cookie, **tls).headers["Set-Cookie"].endswith("; Secure")
    )
    assert ask(address, "/llm/api/ready").status == 503

    async def fonts() -> list[str]:
        async with Reader(proxied.url + "/llm", cookie=cookie) as reader:
            return reader.first.font_urls

    assert asyncio.run(fonts()) == ["/llm/assets/fonts/PretendardVariable.woff2"]


def test_behind_a_proxy_wrong_passwords_are_counted_for_each_reader(proxied: LiveServer) -> None:
    address = _netloc(proxied)
    guesser = {"X-Forwarded-For": "198.51.100.66"}
    assert [ask(address, "/llm/login", "guess", **guesser).status for _ in range(21)] == [403] * 20 + [429]
    lying = {"X-Forwarded-For": "203.0.113.8, 198.51.100.66"}  # the last is what the proxy saw
    assert ask(address, "/llm/login", "guess", **lying).status == 429
    assert ask(address, "/llm/login", PASSWORD, **{"X-Forwarded-For": "203.0.113.8"}).status == 303


def test_nobody_is_believed_to_be_a_proxy_unless_set(locked: LiveServer) -> None:
    address = _netloc(locked)
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert "Secure" not in ask(address, "/login", PASSWORD, **forged).headers["Set-Cookie"]


def test_a_foreign_origin_is_refused_before_streamlit_could_ask_the_internet(locked: LiveServer) -> None:
    cookie = enter(_netloc(locked))

    async def connect() -> int:
        reader = Reader(locked.url, cookie=cookie)
        reader._headers["Origin"] = "http://evil.example"
        with pytest.raises(InvalidStatus) as caught:
            await reader.__aenter__()
        return caught.value.response.status_code

    started = time.monotonic()
    assert [asyncio.run(connect()) for _ in range(5)] == [403] * 5
    assert time.monotonic() - started < 10, "2.3 s each, where Streamlit looks for the machine's own address"
    assert "disallowed Origin" not in locked.log()


def test_the_packaged_configuration_leaves_streamlits_own_checks_on() -> None:
    text = (site_root() / ".streamlit" / "config.toml").read_text("utf-8")
    assert "enableCORS" not in text
    assert "enableXsrfProtection" not in text
    assert "enableAgentApi" not in text
