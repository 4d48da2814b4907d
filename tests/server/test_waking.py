"""The event loop is woken once for many messages, and never too late."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

from streamlit.runtime import Runtime
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from playground.waking import wake_once


class Loop:
    """Streamlit's side: a queue, an event, and a loop that empties the one when the other is set."""

    def __init__(self) -> None:
        self.queue, self.sent, self.n_calls = list[int](), list[int](), 0
        self.need_send_data = asyncio.Event()
        self.eventloop = self
        self._session_mgr: Any = SimpleNamespace()
        self._loop = asyncio.get_running_loop()

    def call_soon_threadsafe(self, act: Any) -> None:
        self.n_calls += 1
        self._loop.call_soon_threadsafe(act)

    def _get_async_objs(self) -> Loop:
        return self

    async def send(self, n: int) -> None:
        while len(self.sent) < n:
            await self.need_send_data.wait()
            self.need_send_data.clear()
            await asyncio.sleep(0.001)  # a message that comes now is not seen before the next turn
            self.sent += self.queue
            self.queue.clear()


async def _sent(n_threads: int, n_each: int) -> Loop:
    loop = Loop()
    wake_once(loop)  # type: ignore[arg-type]

    def write(thread: int) -> None:
        for number in range(n_each):
            loop.queue.append(thread * n_each + number)
            loop._session_mgr._message_enqueued_callback()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    await asyncio.wait_for(loop.send(n_threads * n_each), 30)
    for thread in threads:
        thread.join()
    return loop


def run(n_threads: int, n_each: int) -> Loop:
    """In a thread of its own: Playwright keeps an event loop in the one of the tests."""
    found: list[Loop] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_sent(n_threads, n_each))))
    thread.start()
    thread.join()
    return found[0]


def test_every_message_is_sent_whoever_writes_it() -> None:
    loop = run(8, 500)
    assert sorted(loop.sent) == list(range(4_000))


def test_many_messages_wake_the_loop_far_less_often_than_once_each() -> None:
    assert run(1, 5_000).n_calls < 1_000


def test_streamlit_still_tells_its_loop_of_messages_as_it_did() -> None:
    """Private names that `wake_once` stands on."""
    assert "call_soon_threadsafe" in Runtime._enqueued_some_message.__code__.co_names
    assert "need_send_data" in Runtime._loop_coroutine.__code__.co_names
    connect = WebsocketSessionManager.connect_session
    assert "_message_enqueued_callback" in connect.__code__.co_names
