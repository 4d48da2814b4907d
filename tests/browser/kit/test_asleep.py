"""A tab that lost its connection: back within the grace with all it had, later with what its address says."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.live_server import LiveServer
from tests.browser.reader import sentence_box, wait_run


class Wire:
    """A port that leads to the server until it is cut, as when a laptop sleeps."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._serve()

    def cut(self) -> None:
        """End every connection and take no other."""
        for end in (self._listener, *self._ends):
            with suppress(OSError):  # it has ended already
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        """Lead to the server again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # cut
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


GRACE_S = 8


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """The way to a server whose sessions may sleep for a few seconds."""
    with LiveServer.playground(env={"PLAYGROUND_SESSION_GRACE_S": str(GRACE_S)}) as live:
        live.wait_ready()
        wire = Wire(urlsplit(live.url).port or 0)
        yield wire
        wire.cut()


def _is_written(page: Page) -> None:
    expect(page.get_by_text(re.compile(r"Sleepy head│.+"))).to_be_visible()


@pytest.mark.real
@pytest.mark.parametrize(("asleep_s", "keeps"), [(2, True), (2 * GRACE_S, False)])
def test_a_tab_that_slept_comes_back_by_itself(
    browser: Browser, wire: Wire, asleep_s: float, keeps: bool
) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(
        f"http://127.0.0.1:{wire.port}/sampling?text=Sleepy+head&sam_max_new_tokens=5&sam_temperature=0.5"
    )
    wait_run(page)
    page.locator(".st-key-sam_start button").click()
    _is_written(page)
    wait_run(page)
    wire.cut()
    page.wait_for_timeout(1000 * asleep_s)
    wire.mend()
    wait_run(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(sentence_box(page)).to_have_value("Sleepy head")
    assert "sam_temperature=0.5" in page.url
    if keeps:
        _is_written(page)
    page.locator(".st-key-sam_start button").click()
    _is_written(page)
    context.close()
