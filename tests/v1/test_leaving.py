"""A client that is gone: its rows, its thread and its place are free again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.v1.asking import Asking
from tests.v1.conftest import CHAT, SESSION, Served, serving

N_TOKENS, N_TEXTS = 900, 4
BODY: dict[str, Any] = {
    "model": CHAT, "prompt": "The cat", "max_tokens": N_TOKENS, "temperature": 2, "n": N_TEXTS,
}  # fmt: skip


@pytest.fixture(scope="module")
def long(chat_settings: Settings) -> Iterator[tuple[LocalEngine, Served]]:
    """An engine that writes long texts, and its endpoint with one place a key."""
    more = {"max_new_tokens": N_TOKENS, "max_endpoint_running_per_key": 1, "max_endpoint_open_per_key": 3}
    settings = chat_settings.model_copy(update=more)
    engine = LocalEngine(settings)
    with serving(engine, settings) as served:
        yield engine, served
    engine.close()


@pytest.fixture
def stopped_at(long: tuple[LocalEngine, Served], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Decode steps that had been made when the server knew that the client was gone."""
    engine, stop, found = long[0], Asking.stop, list[int]()

    def noted(self: Asking) -> None:
        stop(self)
        found.append(engine.stats().n_decode_steps)

    monkeypatch.setattr(Asking, "stop", noted)
    return found


def until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def asked(served: Served, key: str, body: dict[str, Any]) -> socket.socket:
    """An open connection that has sent its request."""
    place = urlsplit(served.url)
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    connection = socket.create_connection((place.hostname, place.port))
    connection.sendall(head.encode() + data)
    return connection


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_client_that_vanishes_frees_its_rows_within_a_step(
    long: tuple[LocalEngine, Served], stopped_at: list[int], is_streamed: bool
) -> None:
    engine, served = long
    before = engine.stats().n_decoded_tokens
    with asked(served, served.key(), {**BODY, "stream": is_streamed}) as connection:
        until(lambda: engine.stats().n_decoding == N_TEXTS)
        if is_streamed:
            assert b"200 OK" in connection.recv(4096)
    until(lambda: engine.stats().n_decoding == 0)
    (known,) = stopped_at
    assert engine.stats().n_decode_steps - known <= 1
    assert engine.stats().n_decoded_tokens - before < N_TOKENS * N_TEXTS
    until(lambda: not served.endpoint._places._running)
    assert not served.endpoint._places._open
    assert engine._scheduler._open == {}


def test_a_client_that_leaves_the_line_gives_its_place_to_the_next(
    long: tuple[LocalEngine, Served], stopped_at: list[int]
) -> None:
    engine, served = long
    key = served.key()
    places = served.endpoint._places
    first = asked(served, key, BODY)
    until(lambda: engine.stats().n_decoding == N_TEXTS)
    second, third = asked(served, key, BODY), asked(served, key, {**BODY, "max_tokens": 1, "n": 1})
    until(lambda: len(places._waiting) == 2)
    second.close()
    until(lambda: places._open[SESSION] == 2)
    first.close()
    assert b"200 OK" in third.recv(4096)
    third.close()
    until(lambda: not places._open and not places._running)
    assert places._waiting == []


def test_a_page_that_closes_ends_what_its_key_asked_for(long: tuple[LocalEngine, Served]) -> None:
    """`compute` cancels the owner of a session that is gone."""
    engine, served = long
    with asked(served, served.key(), {**BODY, "stream": True}) as connection:
        until(lambda: engine.stats().n_decoding == N_TEXTS)
        served.sessions.remove(SESSION)
        engine.cancel_owner(SESSION)
        said = b""
        while part := connection.recv(65_536):
            said += part
            if b'"error"' in said:
                break
    # the endpoint misses the key, or the engine the session, whichever is seen first
    assert b'"code": "invalid_api_key"' in said or b'"code": "cancelled"' in said
    until(lambda: engine.stats().n_decoding == 0)
