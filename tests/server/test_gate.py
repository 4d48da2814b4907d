"""The class password: nothing passes without it, guessing is slow, nobody is sent elsewhere."""

from __future__ import annotations

import asyncio
import http.client
import threading
import unicodedata
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple
from urllib.parse import quote, urlencode

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Part

from playground import server
from playground.gate import Attempts, ClassGate

PASSWORD = "한글 비밀 42"


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the lesson")


@pytest.fixture
def address() -> Iterator[str]:
    """A small app behind the gate: three wrong passwords a minute."""
    routes = [Route("/{path:path}", _page)]
    gate = Middleware(ClassGate, password=PASSWORD, attempts=Attempts(per_address=3))
    listener = server.listen("127.0.0.1", 0)
    web = uvicorn.Server(uvicorn.Config(Starlette(routes=routes, middleware=[gate]), log_level="error"))
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    web.should_exit = True
    thread.join()


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


def ask(address: str, path: str, password: str | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(address, timeout=180)
    if password is None:
        connection.request("GET", path, headers=headers)
    else:
        connection.request("POST", path, urlencode({"password": password}), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return Answer(answer.status, answer.headers, text)


def enter(address: str, password: str = PASSWORD) -> str:
    answer = ask(address, "/login", password)
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    return cookie.split(";")[0]


def test_without_the_cookie_there_is_a_form_and_nothing_else(address: str) -> None:
    page = ask(address, "/sampling?text=a%20b", Accept="text/html")
    assert (page.status, page.headers["Location"]) == (303, "/login?next=%2Fsampling%3Ftext%3Da%2520b")
    assert ask(address, "/assets/x.js").status == 401
    form = ask(address, "/login")
    assert form.status == 200
    assert "비밀번호" in form.text
    assert "the lesson" not in form.text


def test_the_password_opens_every_path(address: str) -> None:
    cookie = enter(address)
    assert ask(address, "/sampling", Cookie=cookie).text == "the lesson"


def test_hangul_typed_on_a_mac_is_the_same_password(address: str) -> None:
    assert enter(address, unicodedata.normalize("NFD", PASSWORD) + " ")


@pytest.mark.parametrize(
    "wrong", ["", "x", PASSWORD + "x", "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")]
)
def test_a_wrong_password_gets_no_cookie(address: str, wrong: str) -> None:
    answer = ask(address, "/login", wrong)
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "cookie", ["x", "9999999999.", "9999999999.abc", ".", "abc.abc", "9999999999." + "0" * 64, "é.é", '"']
)
def test_a_forged_cookie_opens_nothing(address: str, cookie: str) -> None:
    assert ask(address, "/", Cookie=f"llm_playground_class={cookie}".encode().decode("latin-1")).status == 401


def test_a_cookie_cannot_be_made_to_last_longer(address: str) -> None:
    name, _, value = enter(address).partition("=")
    ends_at, _, signature = value.partition(".")
    assert ask(address, "/", Cookie=f"{name}={int(ends_at) + 1}.{signature}").status == 401


def test_guessing_stops_even_for_the_right_password(address: str) -> None:
    assert [ask(address, "/login", "guess").status for _ in range(4)] == [403, 403, 403, 429]
    late = ask(address, "/login", PASSWORD)
    assert late.status == 429
    assert "Set-Cookie" not in late.headers


def test_attempts_are_forgotten_after_a_minute() -> None:
    attempts = Attempts(per_address=2)
    attempts.note_wrong("a", 0.0)
    assert attempts.allowed("a", 1.0)
    attempts.note_wrong("a", 30.0)
    assert not attempts.allowed("a", 59.9)
    assert attempts.allowed("a", 60.1)
    attempts.note_wrong("a", 61.0)
    assert not attempts.allowed("a", 62.0)


def test_who_guesses_locks_out_nobody_else() -> None:
    attempts = Attempts(per_address=20)
    for second in range(1_000):
        attempts.note_wrong("10.0.0.66", second / 100)
    assert not attempts.allowed("10.0.0.66", 10.0)
    assert attempts.allowed("10.0.0.7", 10.0)
    for last in range(100):  # one machine has as many IPv6 addresses as it likes
        attempts.note_wrong(f"2001:db8:0:1::{last:x}", 10.0)
    assert not attempts.allowed("2001:db8:0:1:ffff::1", 10.0)
    assert attempts.allowed("2001:db8:0:2::1", 10.0)


def test_the_table_of_attempts_is_bounded_and_forgets_the_quietest() -> None:
    attempts = Attempts(per_address=1, addresses=50)
    attempts.note_wrong("10.0.0.1", 0.0)
    for last in range(50):
        attempts.note_wrong(f"10.0.1.{last}", 1.0)
    assert attempts.allowed("10.0.0.1", 2.0)
    assert not attempts.allowed("10.0.1.0", 2.0)
    assert len(attempts._wrong) == 50


ODD_COOKIES = [
    "a[0]=1",
    'x={"y": "z"}',
    'q="',
    "=",
    "naked",
    "k=v=w",
    "path=/",
    "\xe9\xff=\xe9",
    "expires=Mon, 1",
]


@pytest.mark.parametrize("odd", ODD_COOKIES)
def test_the_cookie_is_seen_beside_those_of_other_applications(address: str, odd: str) -> None:
    ours = enter(address)
    for cookies in (f"{odd}; {ours}", f"{ours}; {odd}", f"{odd};{ours} ;{odd}"):
        assert ask(address, "/", Cookie=cookies).text == "the lesson", cookies
    assert ask(address, "/", Cookie=odd).status == 401


def test_an_old_cookie_of_ours_hides_no_new_one(address: str) -> None:
    assert ask(address, "/", Cookie=f"llm_playground_class=1.old; {enter(address)}").text == "the lesson"


def test_behind_a_base_path_every_address_of_ours_keeps_it() -> None:
    gate = ClassGate(_unreached, PASSWORD, base_path="/llm")

    def get(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        return asyncio.run(_asgi(gate, "GET", path, headers))

    status, headers, _ = get("/llm/sampling", accept="text/html")
    assert (status, headers["location"]) == (303, "/llm/login?next=%2Fllm%2Fsampling")
    assert get("/llm/assets/x.js")[2] == "The class password is needed: open /llm/login"
    assert 'action="/llm/login?next=%2Fllm%2F"' in get("/llm/login")[2]
    assert 'next=%2Fllm%2F"' in get("/llm/login?next=/elsewhere")[2]
    body = urlencode({"password": PASSWORD}).encode()
    status, headers, _ = asyncio.run(_asgi(gate, "POST", "/llm/login?next=/llm/sampling", {}, body))
    assert (status, headers["location"]) == (303, "/llm/sampling")
    assert "Path=/llm/;" in headers["set-cookie"]


async def _unreached(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the gate let it through")


async def _asgi(
    app: ASGIApp, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], str]:
    """One request without a server: status, headers, text."""
    sent: list[Part] = []
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("10.0.0.9", 1), "server": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> Part:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Part) -> None:
        sent.append(message)

    await app(scope, receive, send)
    given = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], given, b"".join(part.get("body", b"") for part in sent[1:]).decode()


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/sampling?text=x", "/sampling?text=x"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/login?next=/", "/"),
    ],
)
def test_after_the_login_nobody_is_sent_elsewhere(address: str, target: str, place: str) -> None:
    answer = ask(address, f"/login?next={quote(target, safe='')}", PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, place)
    hostile = quote('/"><script>x', safe="")
    form = ask(address, f"/login?next={hostile}").text
    assert "<script" not in form


def test_a_huge_form_is_a_wrong_password(address: str) -> None:
    assert ask(address, "/login", PASSWORD + "x" * 100_000).status == 403


@pytest.mark.parametrize("form", ["a=1&" * 9 + "password=x", "&".join(["a"] * 2_000), "password=x&" * 30])
def test_a_form_of_many_fields_is_a_wrong_password_like_any_other(address: str, form: str) -> None:
    def send() -> int:
        connection = http.client.HTTPConnection(address, timeout=180)
        connection.request("POST", "/login", form)
        status = connection.getresponse().status
        connection.close()
        return status

    assert [send() for _ in range(4)] == [403, 403, 403, 429]
