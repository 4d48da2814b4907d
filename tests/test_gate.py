"""The class password: nothing passes without it, guessing is slow, nobody is sent elsewhere."""

from __future__ import annotations

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

from playground import server
from playground.gate import Attempts, ClassGate

PASSWORD = "한글 비밀 42"


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the lesson")


@pytest.fixture
def address() -> Iterator[str]:
    """A small app behind the gate: three wrong passwords a minute."""
    routes = [Route("/{path:path}", _page)]
    gate = Middleware(ClassGate, password=PASSWORD, attempts=Attempts(per_client=3, overall=5))
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
    attempts = Attempts(per_client=1, overall=2)
    attempts.note_wrong("a", 0.0)
    assert not attempts.allowed("a", 59.9)
    assert attempts.allowed("b", 59.9)
    attempts.note_wrong("b", 1.0)
    assert not attempts.allowed("c", 2.0)  # all together have used up theirs
    assert attempts.allowed("a", 60.1)


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
