"""Half a request is not waited for, one address leaves connections for others, a log stays short."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from playground import server
from playground.connections import SHARE_OF_ONE_ADDRESS, Connections
from playground.logs import LINES_A_MINUTE, RateLimit
from playground.sessions import Capacity
from playground.settings import Settings
from tests.server.test_gate import ask

HALF_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
HALF_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"
Serve = Callable[..., str]


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())


@contextmanager
def _serving(at_once: int, settings: Settings) -> Iterator[str]:
    routes = [Route("/", _length, methods=["GET", "POST"]), WebSocketRoute("/echo", _echo)]
    http = Connections(at_once, settings).protocol
    config = uvicorn.Config(
        Starlette(routes=routes),
        http=http,  # type: ignore[arg-type]  # makes one
        ws="websockets-sansio",
        log_level="error",
        timeout_graceful_shutdown=0,
    )
    listener = server.listen("127.0.0.1", 0)
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    web.should_exit = True
    thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(at_once, setting=...)` starts a server and gives its address."""
    with ExitStack() as stack:

        def start(at_once: int = 100, **settings: object) -> str:
            return stack.enter_context(_serving(at_once, Settings(**settings)))

        yield start


def _open(address: str, data: bytes) -> socket.socket:
    host, _, port = address.partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(data)
    return connection


def _seconds_until_closed(connection: socket.socket, drip: bytes = b"") -> float:
    """How long the server keeps it, with a byte of `drip` from time to time."""
    started = time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - started < 20:
        try:
            if drip:
                connection.sendall(drip)
            if connection.recv(4096) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - started


@pytest.mark.parametrize("sent", [b"", HALF_HEAD, HALF_BODY])
def test_half_a_request_is_closed_after_its_time(serve: Serve, sent: bytes) -> None:
    address = serve(request_head_s=0.4)
    with _open(address, sent) as connection:
        assert 0.2 < _seconds_until_closed(connection) < 5
    assert ask(address, "/").status == 200


def test_a_head_that_drips_is_closed_too(serve: Serve) -> None:
    with _open(serve(request_head_s=0.4), HALF_HEAD) as connection:
        assert _seconds_until_closed(connection, drip=b"a") < 5


def test_a_body_that_drips_is_read_until_the_request_has_had_its_time(serve: Serve) -> None:
    address = serve(request_head_s=0.6, request_s=2)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with _open(address, head) as connection:
        assert 1.5 < _seconds_until_closed(connection, drip=b"a") < 6


def test_a_slow_upload_that_goes_on_is_read_to_its_end(serve: Serve) -> None:
    address = serve(request_head_s=0.5)
    with _open(address, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n") as connection:
        for _ in range(12):
            time.sleep(0.15)
            connection.sendall(b"a")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_websocket_may_be_silent_as_long_as_it_likes(serve: Serve) -> None:
    with connect(f"ws://{serve(request_head_s=0.3, request_s=0.6)}/echo") as websocket:
        time.sleep(1.5)
        websocket.send("still here")
        assert websocket.recv(10) == "still here"


def test_one_address_leaves_room_and_a_class_behind_it_has_enough(serve: Serve) -> None:
    address = serve(at_once=200, request_head_s=30)
    with ExitStack() as stack:
        half = [stack.enter_context(_open(address, HALF_HEAD)) for _ in range(140)]
        assert ask(address, "/").status == 200
        half += [stack.enter_context(_open(address, HALF_HEAD)) for _ in range(30)]
        refused = [
            connection for connection in half[150:] if connection.recv(100).startswith(b"HTTP/1.1 503")
        ]
        assert len(refused) == 20


def test_thirty_browsers_behind_one_router_fit_into_its_share() -> None:
    six_files_and_two_tabs = 30 * (6 + 2)
    assert (
        math.ceil(SHARE_OF_ONE_ADDRESS * Capacity.of(Settings(), 1_024).connections) > six_files_and_two_tabs
    )
    assert (
        math.ceil(SHARE_OF_ONE_ADDRESS * Capacity.of(Settings(), 65_536).connections) > six_files_and_two_tabs
    )


def test_a_proxy_speaks_for_many_and_is_bounded_by_the_whole_only(serve: Serve) -> None:
    address = serve(at_once=20, trusted_proxies=("127.0.0.0/8",))
    with ExitStack() as stack:
        for _ in range(19):
            stack.enter_context(_open(address, HALF_HEAD))
        assert ask(address, "/").status == 200


def test_a_connection_kept_for_later_gives_way(serve: Serve) -> None:
    address = serve(at_once=20, trusted_proxies=("127.0.0.1",))
    with ExitStack() as stack:
        kept = [stack.enter_context(_open(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(20)]
        for connection in kept:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            assert ask(address, "/").status == 200


def test_closed_connections_are_counted_no_more(serve: Serve) -> None:
    address = serve(at_once=16)
    for _ in range(40):
        with _open(address, HALF_HEAD):
            pass
        with connect(f"ws://{address}/echo") as websocket:
            websocket.send("x")
            assert websocket.recv(10) == "x"


def test_a_place_in_the_source_writes_a_few_lines_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("playground.logs.time.monotonic", lambda: now)
    sparing = RateLimit()

    def line(lineno: int) -> logging.LogRecord:
        return logging.LogRecord("here", logging.WARNING, "file.py", lineno, "Too much of %s", ("it",), None)

    assert sum(bool(sparing.filter(line(1))) for _ in range(8_193)) == LINES_A_MINUTE
    assert sparing.filter(line(2))
    now = 61.0
    next_one = line(1)
    assert sparing.filter(next_one)
    assert next_one.getMessage() == f"Too much of it [{8_193 - LINES_A_MINUTE} more like this before]"
