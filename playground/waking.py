"""The event loop woken once for many messages.

Streamlit wakes it for every message of a script by a byte on a socket, a system call at which Python's lock
changes hands: with thirty readers, a page of a hundred elements waited a hundred times for its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.runtime import Runtime


def wake_once(runtime: Runtime) -> None:
    """Let messages that come before the event loop has looked wake it once.

    A message is in its session's queue before this is called, so whoever finds the loop already called knows
    that it will look after that.
    """
    is_called = False

    def called() -> None:
        nonlocal is_called
        is_called = False
        runtime._get_async_objs().need_send_data.set()

    def call() -> None:
        nonlocal is_called
        loop = runtime._get_async_objs()
        if not is_called and not loop.need_send_data.is_set():
            is_called = True
            loop.eventloop.call_soon_threadsafe(called)

    runtime._session_mgr._message_enqueued_callback = call  # type: ignore[attr-defined]
