"""There are as many sessions as open files allow; the rest is told so, and sleepers come back."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.runtime.session_manager import SessionInfo
from websockets.exceptions import InvalidStatus

from benchmarks.live_server import LiveServer, free_port
from benchmarks.load_client import Reader
from playground import sessions
from playground.errors import SetUpError
from playground.sessions import Capacity, Sessions
from playground.settings import Settings
from tests.server.test_gate import ask

# --- how many there are


class _Session:
    """A session as the storage sees it."""

    def __init__(self, name: str) -> None:
        self.id, self.ended = name, False
        self.session_state: dict[str, Any] = {}

    def shutdown(self) -> None:
        self.ended = True


def _asleep(storage: Sessions, *names: str) -> list[_Session]:
    made = [_Session(name) for name in names]
    for session in made:
        storage.save(SessionInfo(client=None, session=session))  # type: ignore[arg-type]
    return made


RUNTIME: Any = Mock(is_active_session=lambda session_id: session_id == "awake")


def test_one_too_many_gets_no_place_until_another_leaves() -> None:
    storage = Sessions(places=2, grace_s=60)
    first, second = storage.enter(None, RUNTIME), storage.enter(None, RUNTIME)
    assert first is not None
    assert second is not None
    assert storage.full
    assert storage.enter(None, RUNTIME) is None
    assert storage.enter("never heard of", RUNTIME) is None
    storage.leave(first)
    assert storage.enter(None, RUNTIME) is not None


def test_a_newcomer_takes_the_place_of_who_slept_longest_and_frees_its_files() -> None:
    storage = Sessions(places=3, grace_s=60)
    one, two, three = _asleep(storage, "one", "two", "three")
    assert storage.enter(None, RUNTIME) is not None
    assert (one.ended, two.ended, three.ended) == (True, False, False)
    assert storage.get("one") is None
    assert [info.session.id for info in storage.list()] == ["two", "three"]


def test_who_comes_back_has_a_place_even_when_all_are_taken() -> None:
    storage = Sessions(places=1, grace_s=60)
    _asleep(storage, "mine")
    assert storage.enter("mine", RUNTIME) == "mine"
    storage.delete("mine")
    assert storage.full
    assert storage.enter("awake", RUNTIME) == "awake"  # a new connection before the old one is missed


def test_connections_under_one_name_take_one_place() -> None:
    storage = Sessions(places=3, grace_s=60)
    for _ in range(50):
        storage.enter("awake", RUNTIME)
    assert not storage.full
    for _ in range(50):
        storage.leave("awake")
    assert not storage._awake


def test_a_sleeper_is_forgotten_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("playground.sessions.time.monotonic", lambda: now)
    storage = Sessions(places=2, grace_s=60)
    (one,) = _asleep(storage, "one")
    now = 1_059.0
    assert storage.get("one") is not None
    now = 1_061.0
    assert storage.get("one") is None
    assert one.ended
    assert storage.list() == []


def test_no_more_sleep_than_there_are_places() -> None:
    storage = Sessions(places=2, grace_s=60)
    slept = _asleep(storage, *"abcde")
    assert [one.ended for one in slept] == [True, True, True, False, False]


@pytest.mark.parametrize("files", [100, 256, 1_024, 4_096, 65_536])
def test_all_sessions_and_connections_fit_into_the_open_files(files: int) -> None:
    capacity = Capacity.of(Settings(), files)
    used = sessions.RESERVED_FILES + sessions.FILES_A_SESSION * capacity.sessions + capacity.connections
    assert used <= files
    assert capacity.connections >= 2 * capacity.sessions
    assert capacity.sessions <= 150


def test_too_few_open_files_is_one_sentence() -> None:
    with pytest.raises(SetUpError, match=r"Only 60 files may be open.*ulimit -n"):
        Capacity.of(Settings(), 60)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_limit_of_open_files_is_raised_as_far_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource

    given: list[tuple[int, int]] = []

    def limits(soft: int, hard: int, most: int = 10**9) -> int:
        def set_limit(_kind: int, limit: tuple[int, int]) -> None:
            if limit[0] > most:
                raise ValueError("not allowed")
            given.append(limit)

        monkeypatch.setattr(resource, "getrlimit", lambda _kind: (soft, hard))
        monkeypatch.setattr(resource, "setrlimit", set_limit)
        return sessions.raise_file_limit()

    endless = resource.RLIM_INFINITY
    assert limits(1_024, 524_288) == 65_536
    assert limits(256, 4_096) == 4_096
    assert limits(256, 256) == 256
    assert limits(256, endless, most=10_240) == 10_240  # macOS
    assert limits(endless, endless) == 65_536
    assert given == [(65_536, 524_288), (4_096, 4_096), (10_240, endless)]


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that may open 256 files and has no model, whose readers are told so on every page."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("llm-playground")),
        "run",
        "--no-browser",
        "--port",
        str(port),
    ]
    env = {"PLAYGROUND_CACHE_DIR": str(tmp_path), "PLAYGROUND_DEFAULT_MODEL": "gpt2", "HF_HUB_OFFLINE": "1"}
    with LiveServer(["bash", "-c", 'ulimit -n 256; exec "$@"', "--", *command], port, env=env) as live:
        yield live


async def _come(url: str, n: int) -> tuple[list[Reader], list[InvalidStatus]]:
    """Readers who got in, and what the others were told."""
    came, refused = [], []
    for _ in range(n):
        reader = Reader(url)
        try:
            await reader.__aenter__()
            came.append(reader)
        except InvalidStatus as error:
            refused.append(error)
    return came, refused


async def _crowd(live: LiveServer) -> int:
    places = Capacity.of(Settings(), 256).sessions
    address = live.url.removeprefix("http://")
    came, refused = await _come(live.url, 100)
    assert len(came) == places
    for error in refused:
        assert error.response.status_code == 503
        assert f"All {places} places are taken" in error.response.body.decode()
    for reader in came:
        assert (await reader.rerun()).n_messages > 0
    page = await asyncio.to_thread(
        ask, address, "/sampling", Accept="text/html", **{"Accept-Language": "ko-KR,en"}
    )
    assert page.status == 503
    assert f"{places}자리가 모두 찼습니다" in page.text
    assert page.headers["Refresh"] == "10"
    assert (await asyncio.to_thread(ask, address, "/_stcore/health")).status == 200
    for reader in came[:20]:
        await reader.__aexit__(None, None, None)
    later, refused = await _come(live.url, 100)
    assert (len(later), len(refused)) == (20, 80)
    assert (await came[-1].rerun()).n_messages > 0
    for reader in [*came[20:], *later]:
        await reader.__aexit__(None, None, None)
    return places


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_where_256_files_may_be_open_one_too_many_is_told_so_and_nobody_falls_out(
    cramped: LiveServer,
) -> None:
    places = asyncio.run(_crowd(cramped))
    asyncio.run(_come_and_go(cramped.url, 3 * places))
    opened = len(os.listdir(f"/proc/{cramped.process.pid}/fd")) if sys.platform == "linux" else 0
    assert opened <= sessions.RESERVED_FILES + sessions.FILES_A_SESSION * places
    assert len(cramped.log().splitlines()) < 40, cramped.log()[-2_000:]


async def _come_and_go(url: str, n: int) -> None:
    for _ in range(n):
        async with Reader(url):
            pass


# --- a tab that is loaded anew


def _with_state(storage: Sessions, name: str, **state: object) -> _Session:
    (session,) = _asleep(storage, name)
    session.session_state = dict(state)
    return session


def test_a_sleeping_session_is_handed_over_once() -> None:
    storage = Sessions(places=3, grace_s=60)
    before = _with_state(storage, "before", owner_id="mine")
    after, thief = _Session("after"), _Session("thief")
    storage.hand_over("before", after)  # type: ignore[arg-type]
    assert after.session_state[sessions.BEFORE]["owner_id"] == "mine"
    assert before.ended
    storage.hand_over("before", thief)  # type: ignore[arg-type]
    storage.hand_over("never heard of", thief)  # type: ignore[arg-type]
    assert not thief.session_state, "the tab that has it is awake"


def test_a_tab_loaded_twice_at_once_still_finds_what_it_had() -> None:
    storage = Sessions(places=3, grace_s=60)
    _with_state(storage, "first", owner_id="mine")
    second, third = _Session("second"), _Session("third")
    storage.hand_over("first", second)  # type: ignore[arg-type]
    storage.save(SessionInfo(client=None, session=second))  # type: ignore[arg-type]  # it never ran
    storage.hand_over("first", third)  # type: ignore[arg-type]
    assert third.session_state[sessions.BEFORE]["owner_id"] == "mine"


def test_after_its_time_there_is_nothing_to_hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, now = Sessions(places=3, grace_s=60), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    _with_state(storage, "before", owner_id="mine")
    now[0] = 61
    after = _Session("after")
    storage.hand_over("before", after)  # type: ignore[arg-type]
    assert not after.session_state


def test_what_has_gone_on_is_remembered_within_bounds() -> None:
    storage = Sessions(places=3, grace_s=60)
    for n in range(20):
        _with_state(storage, f"before {n}")
        storage.hand_over(f"before {n}", _Session(f"after {n}"))  # type: ignore[arg-type]
    assert len(storage._gone_on) == 3
